// SPDX-License-Identifier: Apache-2.0
// Prunes a model at once, without training, and says what that brings.
#include <cstdio>

#include "apps/shared/cut_flags.h"
#include "apps/shared/model_flags.h"
#include "apps/shared/part_table.h"
#include "apps/shared/prune_now.h"

namespace {
using namespace espalier;

struct Options {
  ModelFlags model;
  std::string output;
  PruneFlags prune;
  CutFlags cut;
  CalibrationFlags calibration;
};

int run(Options& o, const CommonOptions& common) {
  const bool calibrates = o.prune.on() && o.prune.options.learns();
  o.calibration.check(calibrates);
  if (calibrates) o.prune.options.schedule.begin = o.calibration.steps;
  o.prune.check(o.cut.names_layers());
  CHECK(o.prune.on() || o.prune.shrink || o.cut.on(), "--amount is missing; expected a share in [0, 1), such as 0.3");
  o.prune.options.seed = common.seed;
  auto model = o.model.open(common);
  constexpr int64_t length = 32;
  const PartReport before = sum_of(report_of(*model, length));
  nlohmann::json figures;
  std::string what = o.cut.apply(model, figures);
  if (o.prune.on()) what += prune_now(o.prune, o.calibration, common, model, figures);
  if (o.prune.shrink) what += shrink_now(model);
  save_checkpoint(o.output, model->store, model->contents());
  const auto parts = report_of(*model, length);
  const PartReport total = sum_of(parts);
  const auto file = static_cast<int64_t>(std::filesystem::file_size(o.output));
  if (common.json) {
    figures.update({{"output", o.output},
                    {"parameters_before", before.parameters},
                    {"parameters", total.parameters},
                    {"sparsity", total.sparsity()},
                    {"file_bytes", file},
                    {"tensor_bytes", total.stored},
                    {"dense_bytes", 4 * before.parameters},
                    {"expected_speedup", before.work(DType::f32) / total.work(DType::f32)},
                    {"expected_speedup_bf16", before.work(DType::bf16) / total.work(DType::bf16)},
                    {"parts", parts_to_json(parts)}});
    print_json(figures);
  } else if (!common.quiet) {
    std::printf("%s\n", what.c_str());
    print_parts(parts);
    std::printf("\n%s%s: %s\n", what_it_brings(before, total).c_str(), o.output.c_str(), in_megabytes(file).c_str());
  }
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
        o.model.declare(app);
        app.add_option("--output", o.output, "checkpoint to write")->required();
        o.prune.declare(app, "", false);
        o.cut.declare(app);
        o.calibration.declare(app, "taylor, wanda", "--data",
                              "folder with train.tsv, or a TSV file; default: as train_sst2");
        return [&](const CommonOptions& common) { return run(o, common); };
      });
}
