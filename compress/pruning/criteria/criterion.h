// SPDX-License-Identifier: Apache-2.0
// Criterion: how much each weight matters, a score per element. One file each; used by the Pruner, which ranks the
// scores and removes the lowest.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "compress/observed.h"
#include "core/hdf5/file.h"
#include "core/options.h"
#include "nn/bert.h"

namespace espalier {

class Criterion {
 public:
  virtual ~Criterion() = default;
  virtual std::string describe() const = 0;  // as in "pruned by …"

  // f32 of the parameter's shape; any finite numbers, also negative ones. The stored value may be pruned already.
  virtual Tensor scores(const Parameter& parameter) const = 0;

  // Whether the amount is no share of the units but a threshold in (0, 1): units go whose mean score, through the
  // sigmoid, is below it.
  virtual bool thresholds() const { return false; }

  // What it learns in training, if it does. The parameters have their masks already. Hooks as the Compressor's.
  virtual bool learns() const { return false; }  // it knows nothing before the first step
  virtual void attach(Bert& /*model*/, std::span<Parameter* const> /*parameters*/) {}
  virtual Observed take_observed() { return {}; }
  virtual void absorb(std::span<const Observed> /*lanes*/) {}
  virtual std::vector<ParameterStore*> learned() { return {}; }
  virtual void after_backward() {}
  virtual bool reads_gradients() const { return true; }
  virtual void after_step() {}
  virtual void finish() {}  // the masks are final; may come more than once
  virtual void save(const Hdf5Group& /*group*/) const {}
  virtual void load(const Hdf5Group& /*group*/) {}
};

// A row of the table of criteria. A criterion of one's own is a row, too: see pruning() in compress/pruning/pruning.h.
struct CriterionRow {
  std::string name, help;
  std::function<std::unique_ptr<Criterion>(uint64_t seed)> make;
  std::function<void(Options&)> options = {};  // declares what belongs to this criterion alone
  bool trains = false;                         // its scores are learned with the weights, not by calibration

  static std::vector<CriterionRow> table();
};

// |w| (L1; Han et al. 2015, arXiv:1506.02626), as torch.nn.utils.prune.l1_unstructured.
std::unique_ptr<Criterion> magnitude_criterion();

// Uniform numbers that depend on the seed, the parameter's name and the place of the element only.
std::unique_ptr<Criterion> random_criterion(uint64_t seed);

// First-order Taylor importance |w g| (Molchanov et al. 2019, arXiv:1906.10771), summed over the steps so far. A masked
// weight has no gradient: its score stays as it was.
std::unique_ptr<Criterion> taylor_criterion();

// Movement pruning (Sanh et al. 2020, arXiv:2005.07683): scores that are trained with the weights, by AdamW without
// decay at a rate of their own, and whose gradient passes straight through the mask: weights that move away from zero
// gain, whether they are masked or not. With the hard threshold the lowest scores go. They start at |w| / rms(w) of
// each matrix: at a rate of 0 this is magnitude pruning, and the start counts the less the larger the rate is. (The
// paper starts from 0 and prunes over far more steps; docs/results/TRIED.md compares.) With the soft threshold, from 0
// as there, those go whose sigmoid is below it, while the gradient of regularization * mean sigmoid(score) pulls all of
// them down: how much goes is then learned too, and each layer finds its share.
struct MovementOptions {
  double learning_rate = 1e-3;
  bool soft = false;
  double regularization = 0;
};
std::unique_ptr<Criterion> movement_criterion(const MovementOptions& options);
CriterionRow movement(const MovementOptions& options);  // with the options score-rate and, if soft, regularization

// Wanda (Sun et al. 2023, arXiv:2306.11695): |w| times the L2 norm of the input feature that it multiplies, over all
// tokens seen so far. For the encoder's linear layers.
std::unique_ptr<Criterion> wanda_criterion();

}  // namespace espalier
