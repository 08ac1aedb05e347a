// SPDX-License-Identifier: Apache-2.0
// Makes an int8 model of a trained one, without training, and says what that brings.
#include <cstdio>

#include "apps/shared/calibration.h"
#include "apps/shared/part_table.h"
#include "apps/shared/program.h"
#include "apps/shared/quant_flags.h"
#include "apps/shared/sensitivity.h"
#include "compress/bias_correction.h"
#include "compress/equalize.h"
#include "compress/mask.h"
#include "core/kernels/gemm_int8.h"
#include "data/model_source.h"

namespace {
using namespace espalier;

struct Options {
  std::string model, output, vocab, analyze;
  double equalize = -1;  // negative: not
  bool correct_biases = false;
  QuantFlags quant;
  CalibrationFlags calibration;
};

int run(Options& o, const CommonOptions& common) {
  const bool watches = o.equalize >= 0 || o.correct_biases, calibrates = o.quant.options.mode == "static";
  CHECK(o.equalize <= 1, "--equalize ", o.equalize, ": a share from 0 to 1 is expected");
  o.calibration.check(calibrates || watches);
  o.quant.check();
  const auto model = open_model(o.model, {.seed = common.seed, .vocabulary = o.vocab});
  constexpr int64_t length = 32;
  const PartReport before = sum_of(report_of(*model, length));
  hold(model->store, model->pruned);  // zeros stay zeros
  InputStatistics statistics;
  if (watches) {
    require_f32(*model, "equalisation and bias correction");
    statistics.attach(*model->bert, model->store);
    calibrate(statistics, *model, o.calibration, common, false);
    if (o.equalize >= 0) {
      equalize(*model->bert, statistics, o.equalize);
      statistics.forget();
      calibrate(statistics, *model, o.calibration, common, false);  // of the balanced model
    }
    statistics.detach();
  }
  if (calibrates) o.quant.options.begin = o.quant.options.freeze = o.calibration.steps;
  Quantizer quantizer(o.quant.options);
  quantizer.attach(*model->bert, model->store);
  if (calibrates)
    calibrate(quantizer, *model, o.calibration, common, false);
  else
    quantizer.before_forward(0);
  if (!o.analyze.empty()) print_sensitivity(o.analyze, o.calibration.max_length, *model, quantizer, common);
  const std::string what = quantizer.describe();
  if (o.correct_biases) correct_biases(*model->bert, statistics, quantizer.integers());
  quantizer.convert(model->store);
  model->options["quantize"] = o.quant.effective();
  model->options["quantize"].update({{"equalize", o.equalize}, {"correct-biases", o.correct_biases}});
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
        app.add_option("--model", o.model, "checkpoint FILE.h5, Hugging Face directory or random:SIZE")->required();
        app.add_option("--output", o.output, "int8 checkpoint to write")->required();
        o.quant.declare(app, "", false);
        app.add_option("--equalize", o.equalize,
                       "balance inputs and weights of each attention output layer first (SmoothQuant), with this share "
                       "of the burden on the weights, 0 to 1, such as 0.5; negative: not")
            ->capture_default_str();
        app.add_flag("--correct-biases", o.correct_biases,
                     "let biases take back what rounding the weights does to the mean of a layer's outputs");
        o.calibration.declare(app, "static, --equalize, --correct-biases", "--calibration",
                              "TSV file, or folder with train.tsv; default: as train_sst2");
        app.add_option("--analyze", o.analyze,
                       "TSV file with labels: print what quantizing each layer alone costs there");
        app.add_option("--vocab", o.vocab, "vocab.txt for random:* models");
        return [&](const CommonOptions& common) { return run(o, common); };
      });
}
