// SPDX-License-Identifier: Apache-2.0
#include "compress/distillation/layer_map.h"

#include <ostream>
#include <set>
#include <sstream>

#include "core/check.h"

namespace espalier {
namespace {

int64_t layer_number(const std::string& text) {
  int64_t number = -1;
  CHECK(OptionValue<int64_t>::read(text, number) && number >= 0 && number < 100'000, "'", text,
        "' is no layer's number");
  return number;
}

}  // namespace

LayerMap::LayerMap(const std::string& text) : text_(text) {
  CHECK(!text.empty(), "layer map: is empty; expected uniform, last, or pairs student:teacher such as 0:1,2:5");
  if (text == "uniform" || text == "last") {
    kind_ = text == "last" ? Kind::last : Kind::uniform;
    return;
  }
  std::istringstream parts(text);
  std::set<int64_t> seen;
  for (std::string part; std::getline(parts, part, ',');) {
    int64_t s = -1, t = -1;
    char colon = 0, more = 0;
    std::istringstream numbers(part);
    CHECK(numbers >> s >> colon >> t && colon == ':' && !(numbers >> more), "layer map ", text, ": '", part,
          "' is not understood; expected uniform, last, or pairs student:teacher, counted from 0, such as 0:1,2:5");
    CHECK(seen.insert(s).second, "layer map ", text, ": student layer ", s, " is named twice");
    named_.emplace_back(s, t);
  }
}

LayerMap::Pairs LayerMap::pairs(int64_t student, int64_t teacher) const {
  if (kind_ == Kind::named) {
    for (const auto& [s, t] : named_) {
      CHECK(s >= 0 && s < student, "layer map ", text_, ": the student has the layers 0 to ", student - 1, ", not ", s);
      CHECK(t >= 0 && t < teacher, "layer map ", text_, ": the teacher has the layers 0 to ", teacher - 1, ", not ", t);
    }
    return named_;
  }
  CHECK(student <= teacher, "layer map ", text_, ": the student has ", student, " layers, the teacher ", teacher,
        "; name the pairs, such as 0:0,1:0");
  Pairs all;
  for (int64_t i = 0; i < student; ++i)
    all.emplace_back(i, kind_ == Kind::last ? teacher - student + i : (i + 1) * teacher / student - 1);
  return all;
}

StudentLayers::StudentLayers(const std::string& text) : text_(text) {
  if (text.empty()) return;
  if (text == "second") {
    kind_ = Kind::second;
  } else if (text.starts_with("first:")) {
    kind_ = Kind::first;
    numbers_ = {layer_number(text.substr(6))};
  } else {
    std::istringstream parts(text);
    for (std::string part; std::getline(parts, part, ',');) numbers_.push_back(layer_number(part));
  }
}

std::vector<int64_t> StudentLayers::of(int64_t layers, const std::string& option) const {
  std::vector<int64_t> chosen = numbers_;
  if (kind_ != Kind::named) {
    const int64_t step = kind_ == Kind::second ? 2 : 1, end = kind_ == Kind::second ? layers : numbers_.front();
    CHECK(end > 0, option, ' ', text_, ": at least one layer is expected");
    CHECK(end <= layers, option, ' ', text_, ": the model has the layers 0 to ", layers - 1);
    chosen.clear();
    for (int64_t i = 0; i < end; i += step) chosen.push_back(i);
  }
  for (const int64_t layer : chosen)
    CHECK(layer < layers, option, ' ', text_, ": the model has the layers 0 to ", layers - 1);
  return chosen;
}

bool OptionValue<StudentLayers>::read(const std::string& text, StudentLayers& value) {
  try {
    value = StudentLayers(text);
  } catch (const Error&) { return false; }
  return true;
}

std::ostream& operator<<(std::ostream& out, const LayerMap& map) { return out << map.text(); }
std::ostream& operator<<(std::ostream& out, const StudentLayers& layers) { return out << layers.text(); }

}  // namespace espalier
