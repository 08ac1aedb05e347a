// SPDX-License-Identifier: Apache-2.0
// The options of pruning: how much goes, of what, by which criterion and when. Used by the Pruner, by prune and, as
// --prune.*, by training.
#pragma once

#include <string>
#include <vector>

#include "compress/pruning/criteria/criterion.h"
#include "compress/pruning/structure.h"
#include "core/options.h"
#include "optim/run_step.h"

namespace espalier {

// When how much is pruned. once: all at step `begin`. linear and cubic (Zhu & Gupta 2017, arXiv:1710.01878): from
// `initial` at step `begin` to the full amount at `end`, every `interval` steps; frozen afterwards.
struct PruneSchedule {
  enum class Kind { once, linear, cubic };

  Kind kind = Kind::once;
  double initial = 0;
  RunStep begin = 0, end = 0;  // end 0: when two thirds of the run are done
  int64_t interval = 100;

  bool due(int64_t step) const;
  double amount(double full, int64_t step) const;                    // `full` from `end` on
  int64_t last() const { return kind == Kind::once ? begin : end; }  // the step that prunes for the last time
  bool complete(int64_t steps) const { return steps > last(); }      // after so many
};
template <>
struct Names<PruneSchedule::Kind> {
  static constexpr const char* list[] = {"once", "linear", "cubic"};
};

enum class RankingScope { layer, global, row };  // of the ranking
template <>
struct Names<RankingScope> {
  static constexpr const char* list[] = {"layer", "global", "row"};
};

struct PruneOptions {
  Choice<CriterionRow> method = "magnitude";
  double amount = -1;  // share of the units in [0, 1); negative: not given (N:M says it by itself)
  Structure structure = {};
  RankingScope scope = RankingScope::layer;
  double layer_limit = 1;                // global ranking takes at most this share of a layer
  std::vector<std::string> layers = {};  // patterns; none: the encoder's linear layers
  PruneSchedule schedule = {};
  uint64_t seed = 0;           // of the method random
  bool open_interval = false;  // for_run chooses the schedule's interval

  bool on() const { return amount >= 0 || structure.fixed_amount(); }
  bool learns() const { return method->make(seed)->learns(); }  // needs training steps, or calibration, to know scores

  // Adds the rows. In training there is a schedule, and methods that learn their scores; at once, whole layers may go.
  // `methods` are the criteria to choose from.
  void declare(Options& rows, bool training, const std::vector<CriterionRow>& methods = CriterionRow::table());
  // Throws for the first value out of range or of no use, named with `prefix`, such as "prune.".
  void check(const std::string& prefix = "") const;
  // For a run of so many steps: shares of it become steps, and what was left open is chosen. Throws for a schedule that
  // does not end within the run.
  PruneOptions for_run(int64_t steps, const std::string& prefix) const;

 private:
  void check_together(const std::string& prefix) const;
  void check_schedule(const std::string& prefix) const;
};

}  // namespace espalier
