// SPDX-License-Identifier: Apache-2.0
// Label: what a dataset says about one sentence, as the head of a task reads it. Used by the heads and by what reads
// datasets.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace espalier {

struct Label {
  int32_t number = -1;             // a class from 0; any number from 0 where only the values count; -1: none
  std::vector<float> values = {};  // for tasks that learn numbers; as many for every sentence
};

// What a task's labels are: one class; any number of classes; numbers.
enum class LabelForm { one_class, classes, numbers };

// Reads one field of a label column. Throws Error with what was found and what was expected; the caller knows the line.
using ReadLabel = std::function<Label(std::string_view text)>;

}  // namespace espalier
