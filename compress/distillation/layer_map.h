// SPDX-License-Identifier: Apache-2.0
// Which layers a student has, and which teacher layer each is compared with, as options say it.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "core/option_value.h"

namespace espalier {

// Student layers and the teacher layers that they are compared with. "uniform": layer i of S with the last of its share
// of T layers, (i + 1) T / S - 1 (TinyBERT); "last": with the teacher's last S layers; else pairs such as "0:1,2:5",
// counted from 0. The constructor throws for anything else.
class LayerMap {
 public:
  using Pairs = std::vector<std::pair<int64_t, int64_t>>;  // (student, teacher)

  LayerMap(const std::string& text = "uniform");
  LayerMap(const char* text) : LayerMap(std::string(text)) {}
  // For so many layers; throws for layers that are not there.
  Pairs pairs(int64_t student, int64_t teacher) const;
  const std::string& text() const { return text_; }

 private:
  enum class Kind { uniform, last, named };
  std::string text_;
  Kind kind_ = Kind::named;
  Pairs named_;
};

// The layers of a model that a student starts from: "first:N", "second" (every second one, from 0), numbers such as
// "0,2,4", or "" for all.
class StudentLayers {
 public:
  StudentLayers(const std::string& text = "");
  bool all() const { return text_.empty(); }
  // Of a model with so many layers; throws, naming `option`, for those that it does not have.
  std::vector<int64_t> of(int64_t layers, const std::string& option) const;
  const std::string& text() const { return text_; }

 private:
  enum class Kind { first, second, named };
  std::string text_;
  Kind kind_ = Kind::named;
  std::vector<int64_t> numbers_;  // of `first`: how many
};

std::ostream& operator<<(std::ostream& out, const LayerMap& map);
std::ostream& operator<<(std::ostream& out, const StudentLayers& layers);

template <>
struct OptionValue<LayerMap> {
  static bool read(const std::string& text, LayerMap& value) { return value = LayerMap(text), true; }
  static std::string expected() { return "pairs of layers are expected"; }
  static constexpr const char* type = "PAIRS";
};
template <>
struct OptionValue<StudentLayers> {
  static bool read(const std::string& text, StudentLayers& value);
  static std::string expected() { return "expected first:N, second, or numbers such as 0,2,4"; }
  static constexpr const char* type = "LAYERS";
};

}  // namespace espalier
