// SPDX-License-Identifier: Apache-2.0
// Makes an int8 model of a trained one, without training, and says what that brings.
#include <cstdio>

#include "apps/shared/balance_flags.h"
#include "apps/shared/model_flags.h"
#include "apps/shared/part_table.h"
#include "apps/shared/quant_flags.h"
#include "apps/shared/sensitivity.h"
#include "core/kernels/gemm_int8.h"

namespace {
using namespace espalier;

struct Options {
  ModelFlags model;
  std::string output, analyze;
  QuantFlags quant;
  BalanceFlags balance;
  CalibrationFlags calibration;
};

int run(Options& o, const CommonOptions& common) {
  const bool calibrates = o.quant.options.mode == "static";
  o.balance.check();
  o.calibration.check(calibrates || o.balance.on(), !o.analyze.empty());
  o.quant.check();
  const auto model = o.model.open(common);
  require_f32(*model, "quantization");
  constexpr int64_t length = 32;
  const PartReport before = sum_of(report_of(*model, length));
  o.balance.before(*model, o.calibration, common);
  if (calibrates) o.quant.options.begin = o.quant.options.freeze = o.calibration.steps;
  Quantizer quantizer(o.quant.options);
  quantizer.attach(*model->bert, model->store);
  if (calibrates)
    calibrate(quantizer, *model, o.calibration, common, false);
  else
    quantizer.before_forward(0);
  if (!o.analyze.empty()) print_sensitivity(o.analyze, o.calibration.max_length, *model, quantizer, common);
  const std::string what = quantizer.describe();
  o.balance.after(*model);
  quantizer.convert();
  model->options["quantize"] = o.quant.effective();
  model->options["quantize"].update(o.balance.effective());
  if (calibrates || o.balance.on()) model->options["quantize"].update(o.calibration.effective());
  save_checkpoint(o.output, model->store, model->contents());

  const auto parts = report_of(*model, length);
  const PartReport total = sum_of(parts);
  const auto file = static_cast<int64_t>(std::filesystem::file_size(o.output));
  if (common.json) {
    print_json({{"output", o.output},
                {"file_bytes", file},
                {"tensor_bytes", total.stored},
                {"tensor_bytes_before", before.stored},
                {"parts", parts_to_json(parts)}});
    return 0;
  }
  if (common.quiet) return 0;
  std::printf("%s\n\n", what.c_str());
  print_parts(parts);
  std::printf("\ntensors in the file: %s instead of %s (%.1f %%); products in int8 by %s\n%s: %s\n",
              in_megabytes(total.stored).c_str(), in_megabytes(before.stored).c_str(),
              100 * static_cast<double>(total.stored) / static_cast<double>(before.stored), kernels::gemm_int8_kernel(),
              o.output.c_str(), in_megabytes(file).c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  return run_program(
      argc, argv,
      "Makes an int8 model of a trained one, without training: the weights of encoder and pooler become integers, "
      "static ranges of their inputs are found on real text.\n"
      "Example: quantize --model model.h5 --output int8.h5 --mode static --calibration train.tsv",
      [&](CLI::App& app) {
        o.model.declare(app);
        app.add_option("--output", o.output, "int8 checkpoint to write")->required();
        o.quant.declare(app, "", false);
        o.balance.declare(app);
        o.calibration.declare(app, "static, --equalize, --correct-biases", "--calibration",
                              "TSV file, or folder with train.tsv; default: as train_sst2");
        app.add_option("--analyze", o.analyze,
                       "TSV file with labels: print what quantizing each layer alone costs there");
        return [&](const CommonOptions& common) { return run(o, common); };
      });
}
