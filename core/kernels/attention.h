// SPDX-License-Identifier: Apache-2.0
// Scaled dot-product attention (Vaswani et al. 2017, arXiv:1706.03762) of one head of one sentence, block of query rows
// by block: no [L, L] matrix exists. The backward pass recomputes the probabilities from the saved log-sum-exp of each
// row (Dao et al. 2022, arXiv:2205.14135).
#pragma once

#include <cstdint>

#include "core/dtype.h"
#include "core/rng.h"

namespace espalier::kernels {

// One head of one sentence of L tokens. Pointers address its first row; rows are `stride` elements apart. T: float or
// double; X: T or Bf16.
template <class T, class X>
struct AttentionHead {
  int64_t length = 0, head_size = 0;  // L, D
  int64_t queries = 0;                // of the forward pass: so many of the first rows are wanted; 0: all
  const X *q = nullptr, *k = nullptr, *v = nullptr;
  int64_t qkv_stride = 0;
  X* out = nullptr;  // [L, D]; an input of the backward pass
  int64_t out_stride = 0;
  T* log_sum_exp = nullptr;  // [L], rows lse_stride apart; null: not kept
  int64_t lse_stride = 0;
  // Of the probabilities: row r of this head is row first_row + r of a [heads * tokens, max_length] array.
  Dropout dropout;
  int64_t first_row = 0, max_length = 0;
  T* scratch = nullptr;  // attention_scratch(L, D) elements
  // backward only
  const X* g_out = nullptr;                          // [L, D], out_stride
  X *g_q = nullptr, *g_k = nullptr, *g_v = nullptr;  // [L, D], qkv_stride
  bool accumulate = false;
};

// Elements of T that either pass of a head needs.
int64_t attention_scratch(int64_t length, int64_t head_size);

void attention_forward(const AttentionHead<float, float>& h) noexcept;
void attention_forward(const AttentionHead<float, Bf16>& h) noexcept;
void attention_forward(const AttentionHead<double, double>& h) noexcept;
void attention_backward(const AttentionHead<float, float>& h) noexcept;
void attention_backward(const AttentionHead<float, Bf16>& h) noexcept;
void attention_backward(const AttentionHead<double, double>& h) noexcept;

}  // namespace espalier::kernels
