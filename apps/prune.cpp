// SPDX-License-Identifier: Apache-2.0
// Prunes a model at once, without training, and says what that brings.
#include <algorithm>
#include <cstdio>

#include "apps/shared/calibration.h"
#include "apps/shared/part_table.h"
#include "apps/shared/program.h"
#include "apps/shared/prune_flags.h"
#include "compress/shrink.h"
#include "data/model_source.h"

namespace {
using namespace espalier;

struct Options {
  std::string model, output, vocab;
  PruneFlags prune;
  CalibrationOptions calibration;
};

int run(Options& o, const CommonOptions& common) {
  if (o.prune.options.learns()) o.prune.options.schedule.begin = std::max<int64_t>(o.calibration.steps, 1);
  o.prune.check();
  CHECK(o.prune.on() || o.prune.shrink, "--amount is missing; expected a share in [0, 1), such as 0.3");
  o.prune.options.seed = common.seed;
  OpenOptions open{.seed = common.seed};
  if (!o.vocab.empty()) open.vocabulary = o.vocab;
  auto model = open_model(o.model, open);
  constexpr int64_t length = 32;
  const PartReport before = sum_of(report_of(*model, length));
  std::string what = "shrink only";
  if (o.prune.on()) {
    hold(model->store, model->pruned);
    Pruner pruner(o.prune.options);
    pruner.attach(*model->bert, model->store);
    if (o.prune.options.learns())
      calibrate(pruner, *model, o.calibration, common);
    else
      pruner.before_forward(0);
    pruner.finalize(model->store);
    model->pruned = masks_of(model->store);
    model->options["prune"] = o.prune.effective();
    what = pruner.describe() + format("; %.4f %% of these parameters are zero now", 100 * pruner.sparsity());
  }
  if (o.prune.shrink) model = shrink(*model);
  save_checkpoint(o.output, model->store, model->contents());

  const auto parts = report_of(*model, length);
  const PartReport total = sum_of(parts);
  const auto file = static_cast<int64_t>(std::filesystem::file_size(o.output));
  if (common.json) {
    print_json({{"output", o.output},
                {"parameters_before", before.parameters},
                {"parameters", total.parameters},
                {"sparsity", total.sparsity()},
                {"file_bytes", file},
                {"tensor_bytes", total.stored},
                {"dense_bytes", 4 * before.parameters},
                {"expected_speedup", before.flop / total.flop},
                {"parts", parts_to_json(parts)}});
    return 0;
  }
  if (common.quiet) return 0;
  std::printf("%s\n\n", what.c_str());
  print_parts(parts);
  std::printf("\n%s%s: %s\n", what_it_brings(before, total).c_str(), o.output.c_str(), in_megabytes(file).c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  return run_program(
      argc, argv,
      "Prunes a model at once, without training; evaluate it, or train_sst2 --model OUTPUT to recover: the zeros are "
      "held.\nWhat was pruned before counts as pruned and stays so. Among equal scores the first weight goes.\n"
      "Example: prune --model model.h5 --output pruned.h5 --amount 0.3",
      [&](CLI::App& app) {
        app.add_option("--model", o.model, "checkpoint FILE.h5, Hugging Face directory or random:SIZE")->required();
        app.add_option("--output", o.output, "checkpoint to write")->required();
        o.prune.declare(app, "", false);
        app.add_option("--data", o.calibration.data, "taylor, wanda: folder with train.tsv; default: as train_sst2");
        app.add_option("--calibration-steps", o.calibration.steps, "taylor, wanda: batches of training text to look at")
            ->capture_default_str();
        app.add_option("--batch-size", o.calibration.batch_size, "taylor, wanda: sentences a batch")
            ->capture_default_str();
        app.add_option("--vocab", o.vocab, "vocab.txt for random:* models");
        return [&](const CommonOptions& common) { return run(o, common); };
      });
}
