// SPDX-License-Identifier: Apache-2.0
// The safetensors format: tensors with their names, types and shapes in a JSON header. Used by data/hf to load and
// export models.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace espalier {

class Safetensors {
 public:
  struct Entry {
    std::string type;  // as the file says: F32, BF16, I64, …
    std::vector<int64_t> shape;
    int64_t first, bytes;  // the file's extent, in bytes
  };

  // Maps the file and checks its whole header: lengths, types, shapes, and that the extents lie in the file without
  // overlap. Throws Error with the path and the tensor's name.
  explicit Safetensors(const std::filesystem::path& path);
  ~Safetensors();
  Safetensors(Safetensors&&) noexcept;
  Safetensors& operator=(Safetensors&&) = delete;

  const std::map<std::string, Entry>& entries() const { return entries_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  // The values of an F64, F32, F16 or BF16 tensor of at most 4 dimensions as f32. Throws Error for any other, and where
  // there is none.
  Tensor read(const std::string& name) const;
  void read_into(const std::string& name, const Tensor& to) const;  // f32 of the same shape

 private:
  const Entry& at(const std::string& name) const;
  void parse_header();

  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  int64_t size_ = 0;
  std::map<std::string, Entry> entries_;
  std::map<std::string, std::string> metadata_;
};

std::string to_string(const std::vector<int64_t>& shape);  // "[30522, 384]"

// f32 and bf16 tensors as they are, equal tensors as equal bytes. Throws Error where the file cannot be made, Failure
// where it cannot be completed.
void write_safetensors(const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace espalier
