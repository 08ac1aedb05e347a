// SPDX-License-Identifier: Apache-2.0
// TorchFile: a state_dict that torch.save wrote, such as pytorch_model.bin. Its tensors are read where they lie; its
// pickle is never run, see data/models/torch_pickle. Used by data/models/hf to load models.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "core/input_file.h"
#include "core/tensor.h"
#include "data/files/stored_zip.h"
#include "data/models/torch_pickle.h"

namespace espalier {

class TorchFile {
 public:
  // Reads and checks what the file says of its tensors. Throws Error, with the path and the tensor's name, for the
  // format of before PyTorch 1.6, for big-endian numbers, for a pickle that wants to run code, and for a tensor that
  // does not lie within its storage.
  explicit TorchFile(const std::filesystem::path& path);

  const std::map<std::string, TorchTensor>& tensors() const { return state_.tensors; }
  const std::set<std::string>& others() const { return state_.others; }  // entries that are no tensors

  // The values of a tensor of real numbers as f32, in the order of its shape, which must be that of `to`.
  void read_into(const std::string& name, const Tensor& to) const;

 private:
  ZipMember member(const std::string& name) const;

  InputFile file_;
  std::map<std::string, ZipMember> members_;
  std::string folder_;  // of all members
  TorchState state_;
};

}  // namespace espalier
