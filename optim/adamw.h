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
#include "optim/moments.h"

namespace espalier {

struct AdamWOptions {
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
  double weight_decay = 0.01;
  bool dealt = false;  // the moments are dealt out over the ranks, and so are the updates
};

bool decays(Role role);

// L2 norm over all gradients of this step; parameters without a gradient count as zero. Summed in f64, in an order that
// the layout fixes. `dealt`: every rank calls it, and each looks at the pieces that it owns.
double gradient_norm(const ParameterStore& store, bool dealt = false);

// Factor that brings a norm down to max_norm, as torch.nn.utils.clip_grad_norm_; 1 when max_norm is 0 or the norm is
// smaller.
double clip_factor(double norm, double max_norm);

class AdamW {
 public:
  AdamW(ParameterStore& store, const AdamWOptions& options);

  // One update of every parameter that has a gradient; gradients are multiplied by gradient_scale first. Copies of
  // values follow while these are in cache. Clears the gradients' written flags. Dealt out, every rank calls it, and
  // has all new values then.
  void step(double learning_rate, double gradient_scale = 1);

  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }
  // [n], laid out as the store's values; see Moments for what is dealt out.
  Tensor first_moments() const { return settled().first(); }
  Tensor second_moments() const { return settled().second(); }
  void set_moments(const Tensor& first, const Tensor& second) { moments_.load(first, second); }
  std::string describe() const;  // the weight-decay groups, for the log

 private:
  const Moments& settled() const {
    store_.settle();
    return moments_;
  }

  ParameterStore& store_;
  AdamWOptions options_;
  Moments moments_;
  std::map<const Parameter*, std::unique_ptr<DeferredRows>> tables_;  // large tables; see DeferredRows
  int64_t steps_ = 0;
};

}  // namespace espalier
