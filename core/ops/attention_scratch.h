// SPDX-License-Identifier: Apache-2.0
// What a thread keeps for the attention kernels. Used by the attention op and by nn/engine.
#pragma once

#include <cstdint>

#include "core/kernels/attention.h"
#include "core/tensor.h"

namespace espalier::ops {

// kernels::attention_scratch(L, D) elements, this thread's until its next call.
template <class T>
T* attention_scratch_of(int64_t length, int64_t head_size) {
  thread_local Tensor scratch;
  const int64_t wanted = kernels::attention_scratch(length, head_size);
  if (!scratch || scratch.size() < wanted) scratch = Tensor({wanted}, dtype_of<T>());
  return scratch.data<T>();
}

}  // namespace espalier::ops
