// SPDX-License-Identifier: Apache-2.0
// ClassReader: reads labels that are classes. Used by heads and by default where text is read.
#pragma once

#include <string>
#include <vector>

#include "nn/label.h"

namespace espalier {

class ClassReader {
 public:
  // A label is a whole number 0 … classes - 1. Throws unless there is at least one.
  explicit ClassReader(int32_t classes);
  // A label is a name, or its number unless the names are numbers themselves. Throws unless there is a name.
  explicit ClassReader(std::vector<std::string> names);

  Label operator()(std::string_view text) const;

 private:
  std::vector<std::string> names_;
  int32_t classes_;
  bool numbers_ = true;  // labels may be numbers: no name is one
};

}  // namespace espalier
