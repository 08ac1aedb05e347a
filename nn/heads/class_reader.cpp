// SPDX-License-Identifier: Apache-2.0
#include "nn/heads/class_reader.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "core/check.h"
#include "core/quoted.h"

namespace espalier {
namespace {

// Numbers beyond 64 bits count as the largest one: they are numbers, and out of range.
std::optional<int64_t> number(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) return std::nullopt;
  return error == std::errc() ? value : std::numeric_limits<int64_t>::max();
}

}  // namespace

ClassReader::ClassReader(int32_t classes) : classes_(classes) {
  CHECK(classes > 0, "labels: ", classes, " classes; expected at least one");
}

ClassReader::ClassReader(std::vector<std::string> names)
    : names_(std::move(names)),
      classes_(static_cast<int32_t>(names_.size())),
      numbers_(std::ranges::none_of(names_, [](const std::string& name) { return number(name).has_value(); })) {
  CHECK(!names_.empty(), "labels: no class is named; expected at least one");
}

Label ClassReader::operator()(std::string_view text) const {
  const auto name = std::ranges::find(names_, text);
  if (name != names_.end()) return {static_cast<int32_t>(name - names_.begin())};
  const std::optional<int64_t> value = numbers_ ? number(text) : std::nullopt;
  if (value && *value >= 0 && *value < classes_) return {static_cast<int32_t>(*value)};
  const char* const found = !names_.empty() ? " is unknown" : value ? " is out of range" : " is not a whole number";
  std::string expected = names_.empty() ? "" : "one of " + quoted(names_);
  if (numbers_) expected += (names_.empty() ? "0 to " : " or 0 to ") + std::to_string(classes_ - 1);
  fail("label ", quoted(text), found, "; expected ", expected, ": correct the line, or the number of classes");
}

}  // namespace espalier
