// SPDX-License-Identifier: Apache-2.0
// Pruner: the Compressor that masks what a Criterion scores lowest, at once or step by step, and holds the masks from
// then on. Used by train_sst2 (--prune.*) and prune.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "compress/compressor.h"
#include "compress/pruning/prune_options.h"

namespace espalier {

class Pruner : public Compressor {
 public:
  explicit Pruner(const PruneOptions& options);

  // Masks that parameters have already are held: what they drop counts as pruned and stays pruned.
  void attach(Bert& model, ParameterStore& store) override;
  void before_forward(int64_t step) override;
  Observed take_observed() override { return criterion_->take_observed(); }
  void absorb(std::span<const Observed> lanes) override { criterion_->absorb(lanes); }
  std::vector<ParameterStore*> learned() override { return criterion_->learned(); }
  void after_backward(int64_t step) override;
  bool reads_gradients() const override { return criterion_->reads_gradients(); }
  void after_step(int64_t step) override;
  bool complete(int64_t step) const override { return options_.schedule.complete(step); }
  void save(const Hdf5Group& group) const override;  // one bit a weight
  void load(const Hdf5Group& group) override;
  std::string describe() const override;

  void prune(double amount);  // now: ranks the stored values and sets the masks
  // Share of the weights, over all parameters that it prunes, that the masks drop.
  double sparsity() const;
  const std::vector<Pool>& pools() const { return pools_; }

 private:
  using Flags = std::vector<std::vector<uint8_t>>;
  Flags chosen(std::span<const RankedPool> ranked, double amount) const;  // those that stay, of this rank's pools
  Flags of_all(Flags keep) const;                                         // of every rank's
  struct Held {  // a parameter's mask as it was before this pruner
    Parameter* parameter;
    Tensor bits;
  };
  const Tensor& held(const Parameter& parameter) const;

  PruneOptions options_;
  std::unique_ptr<Criterion> criterion_;
  std::vector<Pool> pools_;
  std::vector<Held> held_;  // of all members
};

}  // namespace espalier
