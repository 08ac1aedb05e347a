// SPDX-License-Identifier: Apache-2.0
// The safetensors format: tensors with their names, types and shapes in a JSON header. Used by data/models/hf to load
// and export models.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/input_file.h"
#include "core/tensor.h"

namespace espalier {

class Safetensors {
 public:
  struct Entry {
    std::string type;  // as the file says: F32, BF16, I64, …
    std::vector<int64_t> shape;
    int64_t first = 0, bytes = 0;  // where the values lie in the file
    std::string checksum = {};     // of the values, in a file that we wrote; else empty
  };

  // Reads and checks the header: lengths, types, shapes, and that the extents fill the file without gap or overlap.
  // A file that we wrote must also fit its checksums: its header here, a tensor when it is read. Throws Error with the
  // path and the tensor's name.
  explicit Safetensors(const std::filesystem::path& path);

  const std::map<std::string, Entry>& entries() const { return entries_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }  // without the checksums

  // The values of an F64, F32, F16 or BF16 tensor as f32. Throws Error for any other type, more than 4 dimensions, and
  // where there is none of that name.
  Tensor read(const std::string& name) const;
  void read_into(const std::string& name, const Tensor& to) const;  // f32 of the same shape

 private:
  InputFile file_;
  std::map<std::string, Entry> entries_;
  std::map<std::string, std::string> metadata_;
};

// Writes the tensors in their types, with checksums in the metadata; equal tensors give equal bytes. Throws Error where
// the file cannot be made, Failure where it cannot be completed.
void write_safetensors(const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace espalier
