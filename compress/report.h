// SPDX-License-Identifier: Apache-2.0
// What a model consists of: parameters, zeros, stored bytes and work of each part. Used by inspect and prune.
#pragma once

#include <array>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "data/models/model_source.h"

namespace espalier {

struct PartReport {
  std::string part = {};  // "embeddings", "layer 0 attention", "layer 0 feed-forward", …, Head::parts()
  int64_t parameters = 0, zeros = 0;
  int64_t stored = 0;       // bytes of the tensors in a checkpoint
  std::set<int> bits = {};  // of the tensors' numbers: 32 (f32), 8 … 2
  double flop = 0;          // a token, multiplications and additions, in sentences of `length` tokens
  // Of these: zeros that inference leaves out, of real numbers (core/products/inference_weight.h) and of integers
  // (quantized_weight.h).
  double skipped_f32 = 0, skipped_bf16 = 0, skipped_int8 = 0;

  double sparsity() const { return parameters > 0 ? static_cast<double>(zeros) / static_cast<double>(parameters) : 0; }
  double skipped(DType compute) const { return (compute == DType::bf16 ? skipped_bf16 : skipped_f32) + skipped_int8; }
  double work(DType compute) const { return flop - skipped(compute); }
  PartReport& operator+=(const PartReport& other);
};

// In the model's order; the counts are those of the stored values.
std::vector<PartReport> report_of(const Model& model, int64_t length);
PartReport sum_of(const std::vector<PartReport>& parts);

// The total of a model from which no heads and neurons were cut out, given that of what is left.
PartReport before_shrinking(const Model& model, PartReport total, int64_t length);

// Bytes that a checkpoint spends on a tensor: all values, or bitmap and non-zero values where that is less.
int64_t stored_bytes(int64_t elements, int64_t zeros);

int64_t stored_bytes(const QuantizedWeight& weight, int64_t zeros);

// Share of the encoder's weights with |w| zero, below 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, and above.
std::array<double, 8> magnitude_histogram(const Model& model);
const std::array<const char*, 8>& histogram_bins();

}  // namespace espalier
