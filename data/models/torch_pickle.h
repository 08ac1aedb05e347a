// SPDX-License-Identifier: Apache-2.0
// The pickle of a file that torch.save wrote of a state_dict: which tensors there are and where their values lie.
// Nothing is run: only the opcodes and names that tensors need are known, and any other name is an error. Used by
// data/models/torch_file.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

struct TorchTensor {
  std::string type;      // of the elements, as safetensors calls it: F32, BF16, I64, …
  std::string key;       // of the storage: the member data/KEY of the archive
  int64_t elements = 0;  // of the storage, as the pickle says
  int64_t offset = 0;    // of the first element, in elements
  std::vector<int64_t> shape, strides;
};

struct TorchState {
  std::map<std::string, TorchTensor> tensors;
  std::set<std::string> others;  // names of what is no tensor
};

// Throws Error, beginning with `source`, for a pickle that asks for a function or class other than those of tensors,
// naming it; for one that is cut off, damaged, or is no dictionary of names.
TorchState read_torch_pickle(std::string_view pickle, const std::string& source);

}  // namespace espalier
