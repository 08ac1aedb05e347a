// SPDX-License-Identifier: Apache-2.0
// Optimizer: one update of all parameters of a store, by AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101), as
// torch.optim.AdamW, or by LAMB (You et al. 2020, arXiv:1904.00962). Weights and embeddings decay, biases and layer
// norms do not. Also the global gradient norm that clipping needs.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/choice.h"
#include "nn/parameter.h"
#include "optim/deferred_rows.h"
#include "optim/moments.h"

namespace espalier {

// LAMB, for large batches: Adam's direction plus the decay, u = m / (sqrt v + eps) + decay w, and for each tensor that
// decays a step of rate |w| / |u| (1 where one of the two is 0); for the others of the rate.
enum class Rule { adamw, lamb };
template <>
struct Names<Rule> {
  static constexpr const char* list[] = {"adamw", "lamb"};
};

struct OptimizerOptions {
  Rule rule = Rule::adamw;
  double beta1 = 0.9, beta2 = 0.999;
  double weight_decay = 0.01;
  bool dealt = false;  // the moments are dealt out over the ranks, and so are the updates
  double eps() const { return rule == Rule::lamb ? 1e-6 : 1e-8; }  // the papers'
};

bool decays(Role role);

// L2 norm over all gradients of this step; parameters without a gradient count as zero. Summed in f64, in an order that
// the layout fixes. `dealt`: every rank calls it, and each looks at the pieces that it owns.
double gradient_norm(const ParameterStore& store, bool dealt = false);

// Factor that brings a norm down to max_norm, as torch.nn.utils.clip_grad_norm_; 1 when max_norm is 0 or the norm is
// smaller.
double clip_factor(double norm, double max_norm);

class Optimizer {
 public:
  Optimizer(ParameterStore& store, const OptimizerOptions& options);

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
  kernels::AdamWStep step_of(double rate, double gradient_scale) const;  // without decay
  bool is_own(const Piece& piece) const;
  void adamw(double rate, double gradient_scale);
  void lamb(double rate, double gradient_scale);
  const Moments& settled() const {
    store_.settle();
    return moments_;
  }

  ParameterStore& store_;
  OptimizerOptions options_;
  Moments moments_;
  std::map<const Parameter*, std::unique_ptr<DeferredRows>> tables_;  // large ones, with AdamW; see DeferredRows
  int64_t steps_ = 0;
};

}  // namespace espalier
