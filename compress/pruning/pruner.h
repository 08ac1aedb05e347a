// SPDX-License-Identifier: Apache-2.0
// Pruner: the Compressor that masks what a Criterion scores lowest, at once or step by step, and holds the masks from
// then on. Used by train_sst2 (--prune.*) and prune.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "compress/compressor.h"
#include "compress/pruning/criteria/criterion.h"
#include "compress/pruning/structure.h"

namespace espalier {

// When how much is pruned. once: all at step `begin`. linear and cubic (Zhu & Gupta 2017, arXiv:1710.01878): from
// `initial` at step `begin` to the full amount at `end`, every `interval` steps; frozen afterwards.
struct PruneSchedule {
  std::string kind = "once";
  double initial = 0;
  int64_t begin = 0, end = 0, interval = 100;  // check() lets end = 0 pass: whoever knows the run's length sets it

  bool due(int64_t step) const;
  double amount(double full, int64_t step) const;                // `full` from `end` on
  int64_t last() const { return kind == "once" ? begin : end; }  // the step that prunes for the last time
  bool complete(int64_t steps) const { return steps > last(); }  // after so many
};

struct PruneOptions {
  std::string method = "magnitude";  // random, taylor, wanda, movement, soft-movement
  double amount = -1;                // share of the units in [0, 1); negative: not given (N:M says it by itself)
  std::string structure = "weight", scope = "layer";  // scope of the ranking: layer, global, row
  double layer_limit = 1;                             // global ranking takes at most this share of a layer
  std::vector<std::string> layers = {};               // patterns; none: the encoder's linear layers
  PruneSchedule schedule = {};
  uint64_t seed = 0;          // of the method random
  double score_rate = 1e-3;   // learning rate of movement's scores
  double regularization = 0;  // of soft-movement; its amount is a threshold

  bool learns() const;  // the method needs training steps, or calibration, before it can prune

  // Throws for the first value that is unknown, out of range or of no use; options are named with `prefix`, such as
  // "--" or "--prune.".
  void check(const std::string& prefix) const;
};

class Pruner : public Compressor {
 public:
  explicit Pruner(const PruneOptions& options);                               // the criterion that options.method names
  Pruner(const PruneOptions& options, std::unique_ptr<Criterion> criterion);  // any other

  // Masks that parameters have already are held: what they drop counts as pruned and stays pruned.
  void attach(Bert& model, ParameterStore& store) override;
  void before_forward(int64_t step) override;
  void after_backward(int64_t step) override;
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
  std::vector<std::vector<uint8_t>> chosen(std::span<const RankedPool> ranked, double amount) const;  // those that stay
  struct Held {  // a parameter's mask as it was before this pruner
    Parameter* parameter;
    Tensor bits;
  };
  const Tensor& held(const Parameter& parameter) const;

  PruneOptions options_;
  Structure structure_;
  std::unique_ptr<Criterion> criterion_;
  std::vector<Pool> pools_;
  std::vector<Held> held_;  // of all members
};

}  // namespace espalier
