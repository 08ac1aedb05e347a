// SPDX-License-Identifier: Apache-2.0
// Losses over a large vocabulary, with the decoder that makes the logits: z[M, V] = x[M, H] table[V, H]^T + bias[V]. z
// is made in chunks of rows and never kept; neither is its gradient. Used by nn/heads/pretraining.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/tape.h"

namespace espalier::ops {

// Cross-entropy of z against word numbers, summed over the M rows and divided by `divisor`; rows with the label -1 add
// nothing. One element. With compute = bf16 the products' operands are rounded, else all is of x's type, f32 or f64.
// Saved: the gradients of x, table and bias, as far as they are wanted; they are made in the forward pass.
Var vocabulary_cross_entropy(const Var& x, const Var& table, const Var& bias, std::span<const int32_t> labels,
                             double divisor, DType compute = DType::f32);

// Distillation (Hinton et al. 2015, arXiv:1503.02531): T^2 times the Kullback-Leibler divergence of softmax(z / T) from
// softmax(t / T), summed over the rows and divided by `divisor`. t are the teacher's logits, of the same rows and words
// and of any width: x[M, H'], table[V, H'], bias[V]. One element. Saved: as above.
struct VocabularyTeacher {
  Tensor x, table, bias;
};
Var vocabulary_soft_cross_entropy(const Var& x, const Var& table, const Var& bias, const VocabularyTeacher& teacher,
                                  double temperature, double divisor, DType compute = DType::f32);

// What z says of each row: the log probability of its label, 0 for the label -1, and the likeliest word, the first of
// equal ones. No gradient.
struct VocabularyScore {
  double log_probability = 0;
  int32_t likeliest = 0;
};
std::vector<VocabularyScore> vocabulary_scores(const Tensor& x, const Tensor& table, const Tensor& bias,
                                               std::span<const int32_t> labels, DType compute = DType::f32);

}  // namespace espalier::ops
