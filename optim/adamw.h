// SPDX-License-Identifier: Apache-2.0
// AdamW over a ParameterStore (Loshchilov & Hutter 2019, arXiv:1711.05101), as torch.optim.AdamW: decoupled decay on
// weights and embeddings, none on biases and layer norms. Also the global gradient norm that clipping needs.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nn/parameter.h"
#include "optim/deferred_rows.h"

namespace espalier {

struct AdamWOptions {
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
  double weight_decay = 0.01;
};

bool decays(Role role);

// L2 norm over all gradients of this step; parameters without a gradient count as zero. Summed in f64, in an order that
// the layout fixes.
double gradient_norm(const ParameterStore& store);

// Factor that brings a norm down to max_norm, as torch.nn.utils.clip_grad_norm_; 1 when max_norm is 0 or the norm is
// smaller.
double clip_factor(double norm, double max_norm);

class AdamW {
 public:
  AdamW(ParameterStore& store, const AdamWOptions& options);

  // One update of every parameter that has a gradient; gradients are multiplied by gradient_scale first. Copies of
  // values follow while these are in cache. Clears the gradients' written flags.
  void step(double learning_rate, double gradient_scale = 1);

  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }
  const Tensor& first_moments() const { return settled(m_); }  // [n], laid out as the store's values
  const Tensor& second_moments() const { return settled(v_); }
  std::string describe() const;  // the weight-decay groups, for the log

 private:
  const Tensor& settled(const Tensor& moments) const {
    store_.settle();
    return moments;
  }

  ParameterStore& store_;
  AdamWOptions options_;
  Tensor m_, v_;
  std::map<const Parameter*, std::unique_ptr<DeferredRows>> tables_;  // large tables; see DeferredRows
  int64_t steps_ = 0;
};

}  // namespace espalier
