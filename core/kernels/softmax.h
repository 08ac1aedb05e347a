// SPDX-License-Identifier: Apache-2.0
// Softmax over long rows, such as the logits of a vocabulary. `sharpness` is 1 / temperature. T: float or double.
#pragma once

#include <cstdint>

namespace espalier::kernels {

// log sum exp(sharpness x); the sum is taken in T in pieces, and in f64 over them.
double log_sum_exp(int64_t n, const float* x, float sharpness) noexcept;
double log_sum_exp(int64_t n, const double* x, double sharpness) noexcept;

// x = scale exp(sharpness x - log_sum): probabilities, times scale.
void probabilities(int64_t n, float sharpness, double log_sum, float scale, float* x) noexcept;
void probabilities(int64_t n, double sharpness, double log_sum, double scale, double* x) noexcept;

// For p = exp(sharpness t - log_sum_t) and q the same of x: sum p (log p - log q). Then x = scale (q - p).
double divergence(int64_t n, const float* t, double log_sum_t, float sharpness, double log_sum, float scale,
                  float* x) noexcept;
double divergence(int64_t n, const double* t, double log_sum_t, double sharpness, double log_sum, double scale,
                  double* x) noexcept;

}  // namespace espalier::kernels
