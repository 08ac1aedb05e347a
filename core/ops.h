// SPDX-License-Identifier: Apache-2.0
// The differentiable ops, one file each in core/ops. Shapes: T tokens, B sentences, H hidden, A heads, D head size, V
// vocabulary, C classes. Every op throws Error with both shapes when they do not fit, and records nothing when no input
// is on a tape. "Saved" is what backward keeps alive.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/activation.h"
#include "core/products/weight.h"
#include "core/rng.h"
#include "core/tape.h"

namespace espalier::ops {

// y[T, out] = x[T, in] w^T + b, for w[out, in] and b[out]. Saved: x, w. With several pairs the outputs lie side by
// side, so that query, key and value are one op: y[T, out1 + out2 + …]. With compute = bf16 (mixed precision,
// Micikevicius et al. 2018, arXiv:1710.03740): x f32 or bf16, y of type `result`, operands rounded to bf16, sums in
// f32, gradients of w and b in f32; a packed w saves rounding it here. Otherwise all is of x's type, f32 or f64.
struct Affine {
  Var w, b;
  // How products read w's value; see core/products/weight.h. With integers y is linear_int8's.
  WeightForm form = {};
};
Var linear(const Var& x, std::span<const Affine> parts, DType compute = DType::f32, DType result = DType::bf16);
Var linear(const Var& x, const Affine& part, DType compute = DType::f32, DType result = DType::bf16);
Var linear(const Var& x, const Var& w, const Var& b);

// The same with int8 weights: x becomes integers, sums are exact, y is f32, whatever the precision of other products.
// Parts share the input's grid. linear() calls it for parts in this form, and adds the gradient; by itself it has none
// and throws if x is on a tape.
Var linear_int8(const Var& x, std::span<const Affine> parts);

// y = f(x), elementwise, with a function of core/activation.h. Saved: x.
Var activation(const Var& x, Activation f);
inline Var gelu(const Var& x) { return activation(x, Activation::gelu); }

// y = tanh x, elementwise. Saved: y.
Var tanh(const Var& x);

// Elements of x[rows, cols] are zero with the given probability, else scaled by 1 / (1 - p). Saved: nothing; the mask
// is recomputed.
Var dropout(const Var& x, const Dropout& dropout);

// y[T, H] = LayerNorm(residual + dropout(x)) gamma + beta (arXiv:1607.06450). Saved: the normalised rows and 1 /
// standard deviation.
Var dropout_add_layer_norm(const Var& x, const Var& residual, const Var& gamma, const Var& beta, float eps,
                           const Dropout& dropout);

// y[T, H] = LayerNorm(word[ids] + position[place in the sentence] + segment[segments]) gamma + beta. word[V, H],
// position[P, H], segment[S, H]; offsets [B + 1] bound the sentences. A segment without value: there is no such table.
// first: the position of a sentence's first token, see ops::places. Throws for an id, segment or length out of range,
// naming it. Gradients of the tables are scatters. Saved: as above.
Var embedding(std::span<const int32_t> ids, std::span<const int32_t> segments, std::span<const int32_t> offsets,
              const Var& word, const Var& position, const Var& segment, const Var& gamma, const Var& beta, float eps,
              int64_t first = 0);

// Multi-head self-attention within each sentence (arXiv:1706.03762): qkv[T, 3 A D] holds queries, keys and values side
// by side; y[T, A D]. Dropout acts on the probabilities. Saved: qkv, y, and one log-sum-exp per token and head; no [L,
// L] matrix (arXiv:2205.14135).
Var attention(const Var& qkv, std::span<const int32_t> offsets, int64_t heads, const Dropout& dropout);

// y[B, H] = x[rows[b], :]. The gradient is a scatter; rows must be distinct.
Var gather_rows(const Var& x, std::span<const int32_t> rows);

// Cross-entropy of logits[B, C] against class numbers, summed over the B rows and divided by `divisor` (B for the mean;
// the whole window's sentences under gradient accumulation). Rows with the label -1, unlabelled ones, add nothing. One
// element. Saved: the probabilities.
Var cross_entropy(const Var& logits, std::span<const int32_t> labels, double divisor);

// How a loss treats classes: weights [C] of each, empty where all are 1; label smoothing, the share of the target that
// goes to all classes alike (Szegedy et al. 2016, arXiv:1512.00567); the focal loss's gamma, 0: off (Lin et al. 2017,
// arXiv:1708.02002).
struct ClassLoss {
  std::vector<double> weights = {};
  double smoothing = 0, gamma = 0;

  bool plain() const { return weights.empty() && smoothing == 0 && gamma == 0; }
  double weight(int64_t c) const { return weights.empty() ? 1 : weights[static_cast<size_t>(c)]; }
  void check(const char* op, int64_t classes, double divisor) const;  // throws for what does not fit
};

// cross_entropy with a ClassLoss. With the sum of the rows' weights as divisor it is PyTorch's mean. Saved: [B, C].
Var weighted_cross_entropy(const Var& logits, std::span<const int32_t> labels, const ClassLoss& loss, double divisor);

// Distillation (Hinton et al. 2015, arXiv:1503.02531): T^2 times the Kullback-Leibler divergence of softmax(logits / T)
// from softmax(teacher / T), both [B, C], summed over the B rows and divided by `divisor`. It is the soft cross-entropy
// minus the teacher's entropy: the same gradient, and zero where both agree. One element. Saved: [B, C].
Var soft_cross_entropy(const Var& logits, const Tensor& teacher, double temperature, double divisor);

// Yes or no for each element of logits[B, C]: T^2 times the Kullback-Leibler divergence of sigmoid(logits / T) from the
// targets, of the same shape and from 0 to 1, summed over all elements and divided by `divisor`. For targets that are 0
// or 1, and T = 1, it is the binary cross-entropy. One element. Saved: both.
Var binary_cross_entropy(const Var& logits, const Tensor& targets, double divisor, double temperature = 1);

// The binary cross-entropy of targets from 0 to 1 with a ClassLoss. A weight is that of yes against no, PyTorch's
// pos_weight; smoothing moves each target towards 1/2. Saved: [B, C].
Var weighted_binary_cross_entropy(const Var& logits, const Tensor& targets, const ClassLoss& loss, double divisor);

// Sum of (x - target)^2 over all elements, divided by `divisor` (the number of elements for the mean). Saved: both.
Var mse(const Var& x, const Tensor& target, double divisor);

// Sum over the rows of x[R, H] of 1 - cos(x_r, target_r), divided by `divisor`. Saved: both.
Var cosine_distance(const Var& x, const Tensor& target, double divisor);

// How the tokens of a sentence relate, compared with a teacher: in each head the scaled products of two of query, key
// and value (0, 1, 2) with each other. Query and key are attention: its scores by squared error (TinyBERT, Jiao et al.
// 2020, arXiv:1909.10351) or its probabilities by KL divergence (MiniLM, Wang et al. 2020, arXiv:2002.10957); equal
// ones are the self-relations of MiniLMv2 (arXiv:2012.15828), for any number of heads that divides both widths.
// qkv[T, 3 W] of student and teacher, whose W may differ, f32, bf16 or f64. A sentence's loss is the mean over its
// heads and pairs (scores) or rows (probabilities); y is the sum over sentences divided by `divisor`. Saved: both qkv.
struct Relation {
  int left = 0, right = 1;
  int64_t heads = 1;
  bool probabilities = true;
};
Var relation_loss(const Var& student, const Tensor& teacher, std::span<const int32_t> offsets, const Relation& relation,
                  double divisor);

// y = f(x, tape), with f run again in the backward pass instead of being remembered (Chen et al. 2016,
// arXiv:1604.06174). f must give the same y each time and may use parameters; if x is a constant, they get no gradient.
// Saved: x.
Var checkpoint(const Var& x, std::function<Var(const Var& x, Tape* tape)> f);

// y = w where the mask keeps it, else 0. The mask has one bit an element: element i is bit i % 8 of byte i / 8 of a
// u8[(n + 7) / 8]. It is shared, not copied: it must not change before the backward pass. Where w is zero already
// (`baked`), y is w itself. Saved: nothing else.
Var apply_mask(const Var& w, const Tensor& mask, bool baked = false);

// The same for a mask that was made from `scores`, of w's shape: their gradient is gy w for every element, kept or not,
// the straight-through estimator of movement pruning (Sanh et al. 2020, arXiv:2005.07683). Saved: w.
Var apply_mask(const Var& w, const Tensor& mask, const Var& scores);

// y = x on the grid and back, so that training sees the rounding of integers (Jacob et al. 2018, arXiv:1712.05877).
// x[rows, cols]; gx = gy where x was not clamped, else 0: the straight-through estimator. Saved: x.
Var fake_quant(const Var& x, const QuantGrid& grid);

// The same on the integers low … high without a zero point, with scales [1] or [rows] that learn: LSQ (Esser et al.
// 2020, arXiv:1902.08153), whose gradient of a scale is weighted with 1 / sqrt(its elements * high). Saved: x.
Var fake_quant(const Var& x, const Var& scale, int32_t low, int32_t high);

// Sum of one-element terms, each times its weight; without weights, of the terms themselves.
Var sum(std::span<const Var> terms, std::span<const double> weights = {});

}  // namespace espalier::ops
