// SPDX-License-Identifier: Apache-2.0
// One update over a range: AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101), operation for operation as PyTorch's
// torch.optim.AdamW; and the two halves of LAMB (You et al. 2020, arXiv:1904.00962).
#pragma once

#include <cstdint>

namespace espalier::kernels {

struct AdamWStep {
  float decay = 1;  // 1 - learning rate * weight decay; of LAMB the weight decay
  float beta2 = 0.999F, eps = 1e-8F;
  float rate1 = 0.1F, rate2 = 0.001F;  // 1 - beta1, 1 - beta2, rounded once from f64
  float step_size = 0;                 // learning rate / (1 - beta1^t); of LAMB 1 / (1 - beta1^t)
  float inverse_sqrt2 = 1;             // 1 / sqrt(1 - beta2^t)
  float gradient_scale = 1;            // from clipping
};

// n elements; g null means that every gradient is zero.
void adamw(const AdamWStep& step, int64_t n, const float* g, float* w, float* m, float* v) noexcept;

// The updates of `count` steps whose gradients were zero, one after the other: the same bits as `count` calls with g
// null, but w, m and v are read and written once.
void adamw_replay(const AdamWStep* steps, int64_t count, int64_t n, float* w, float* m, float* v) noexcept;

// Updates the moments, then u = step_size m / (sqrt v inverse_sqrt2 + eps) + decay w. u may be g; g null as above.
void lamb_direction(const AdamWStep& step, int64_t n, const float* g, const float* w, float* m, float* v,
                    float* u) noexcept;
void step_along(float rate, int64_t n, const float* u, float* w) noexcept;  // w -= rate u

}  // namespace espalier::kernels
