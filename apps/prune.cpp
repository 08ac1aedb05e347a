// SPDX-License-Identifier: Apache-2.0
// Prunes a model at once, without training, and says what that brings.
#include <cstdio>
#include <filesystem>

#include "apps/cli/model_option.h"
#include "apps/cli/part_table.h"
#include "apps/training/cut_model.h"
#include "apps/training/output.h"
#include "apps/training/prune_model.h"
#include "core/check.h"
#include "core/ranks/join.h"

namespace {
using namespace espalier;

constexpr int64_t length = 32;  // tokens a sentence, for the work

struct Prune {
  ModelOption model;
  OutputFile output;
  PruneOptions prune;
  CutOptions cut;
  CalibrationOptions calibration;
  bool shrink = false;
  Options* rows = nullptr;

  bool calibrates() const { return prune.on() && prune.learns(); }

  void declare(Options& all) {
    rows = &all;
    model.declare(all);
    output.declare(all, "output", "checkpoint to write").required();
    all.begin({.entry = "cut"});
    cut.declare(all);
    all.begin({.entry = "pruned",
               .on = [this] { return prune.on() || (prune.structure.kind == Structure::Kind::layer && cut.on()); },
               .why = "nothing is pruned without --amount"});
    prune.declare(all, false);
    all.flag("shrink", shrink,
             "cut heads and neurons that are all zero out of the tensors, also those pruned in training; without "
             "--amount, only that")
        .is_switch();
    calibration.declare(
        all, "taylor, wanda", "data", "file, or folder with a training file; default: as train_sst2",
        [this] { return calibrates(); }, [] { return false; });
    all.begin({});
    all.rule([this] {
      CHECK(prune.on() || shrink || cut.on(), "--amount is missing; expected a share in [0, 1), such as 0.3");
    });
  }

  int run(const CommonOptions& common) {
    const FileLock lock = output.lock();
    prune.seed = calibration.seed = common.seed;
    if (calibrates()) prune.schedule.begin = calibration.steps;
    auto m = model.open(common);
    output.announce_replaced(Written::checkpoint);
    const PartReport before = sum_of(report_of(*m, length));
    Record figures;
    std::string what = cut.apply(m, figures);
    if (cut.on()) m->options.set("cut", rows->all_of("cut"));
    if (prune.on()) what += prune_model(prune, rows->all_of("pruned"), calibration, common.listener(), m, figures);
    if (shrink) what += shrink_model(m);
    if (!is_first_rank()) return 0;
    save_checkpoint(output.path, m->store, m->contents());
    print(before, *m, what, figures, common);
    return 0;
  }

  void print(const PartReport& before, const Model& m, const std::string& what, Record& figures,
             const CommonOptions& common) const {
    const auto parts = report_of(m, length);
    const PartReport total = sum_of(parts);
    const auto file = static_cast<int64_t>(std::filesystem::file_size(output.path));
    if (common.json) {
      figures.update({{"output", output.path}, {"file_bytes", file}, {"parts", parts_to_json(parts)}});
      figures.update(brings_to_json(before, total));
      return print_json(figures);
    }
    if (common.quiet) return;
    std::printf("%s\n", what.c_str());
    print_parts(parts);
    std::printf("\n%s%s: %s\n", what_it_brings(before, total).c_str(), output.path.c_str(), in_megabytes(file).c_str());
  }
};

}  // namespace

int main(int argc, char** argv) {
  return run_program<Prune>(
      argc, argv,
      "Prunes a model at once, without training; evaluate it, or train_sst2 --model OUTPUT to recover: the zeros are "
      "held.\nWhat was pruned before counts as pruned and stays so. Among equal scores the first weight goes.\n"
      "Example: prune --model model.h5 --output pruned.h5 --amount 0.3",
      join_ranks);
}
