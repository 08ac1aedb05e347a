// SPDX-License-Identifier: Apache-2.0
// EdgeWriter: gathers the sections of an edge file and writes it. Used by export_edge.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/tensor.h"

namespace espalier {

class EdgeWriter {
 public:
  // f32, i32, s8 or u8, rank 1 to 4; its elements are read by write(). A name has less than 80 bytes and comes once.
  void add(const std::string& name, const Tensor& tensor);
  void add(const std::string& name, const std::vector<int32_t>& integers);
  void add(const std::string& name, const std::vector<std::string>& texts);  // throws for a text with a NUL

  // Returns the bytes of the file, which appears whole or not at all. Throws as AtomicFile does.
  int64_t write(const std::filesystem::path& path) const;

 private:
  std::vector<std::pair<std::string, Tensor>> sections_;
};

}  // namespace espalier
