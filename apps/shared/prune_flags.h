// SPDX-License-Identifier: Apache-2.0
// The command line of pruning: --prune.* of train_sst2, and without the prefix that of prune.
#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/shared/run_step.h"
#include "compress/pruning/pruner.h"

namespace espalier {

struct PruneFlags {
  PruneOptions options;
  bool shrink = false;  // cut what is all zero out of the tensors in the end; goes without an amount too

  // Options named --<prefix>amount and so on; a schedule only makes sense in training.
  void declare(CLI::App& app, const std::string& prefix, bool with_schedule);
  bool on() const;  // an amount, or a structure that says it

  // Throws for a value out of range, naming the option, and for options without an amount; the structure layer needs
  // none where layers are named.
  void check(bool layers_named = false) const;
  // For a run of so many steps: where the schedule has shares they are steps now, and an end that was left open is when
  // two thirds are done. Throws for a schedule that does not end within the run.
  PruneOptions for_run(int64_t steps) const;
  nlohmann::json effective() const;

 private:
  bool movement() const { return options.method.ends_with("movement"); }  // hard or soft: it learns scores
  double score_rate() const;                                              // the given one, or the method's own

  std::string prefix_;
  bool with_schedule_ = false;
  RunStep begin_, end_;
  std::vector<CLI::Option*> declared_;
  CLI::Option *interval_ = nullptr, *score_rate_ = nullptr;
};

}  // namespace espalier
