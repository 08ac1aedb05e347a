// SPDX-License-Identifier: Apache-2.0
// Makes an int8 model of a trained one, without training, and says what that brings.
#include <cstdio>
#include <filesystem>

#include "apps/cli/model_option.h"
#include "apps/cli/part_table.h"
#include "apps/cli/sensitivity.h"
#include "apps/training/balance.h"
#include "apps/training/output.h"
#include "core/kernels/gemm_int8.h"
#include "core/ranks/join.h"

namespace {
using namespace espalier;

constexpr int64_t length = 32;  // tokens a sentence, for the work

struct Quantize {
  ModelOption model;
  OutputFile output;
  std::string analyze;
  QuantizeOptions quantize;
  Balance balance;
  CalibrationOptions calibration;
  Options* rows = nullptr;
  bool fixed() const { return quantize.mode == InputRanges::fixed; }

  void declare(Options& all) {
    rows = &all;
    model.declare(all);
    output.declare(all, "output", "int8 checkpoint to write").required();
    all.begin({.entry = "quantize"});
    quantize.declare(all, false);
    balance.declare(all);
    calibration.declare(
        all, "static, --equalize, --correct-biases", "calibration",
        "file, or folder with a training file; default: as train_sst2", [this] { return fixed() || balance.on(); },
        [this] { return !analyze.empty(); });
    all.begin({});
    all.add("analyze", analyze, "file with labels: print what quantizing each layer alone costs there");
  }

  int run(const CommonOptions& common) {
    const FileLock lock = output.lock();
    calibration.seed = common.seed;
    const auto m = model.open(common);
    require_f32(*m, "quantization");
    output.announce_replaced(Written::checkpoint);
    const PartReport before = sum_of(report_of(*m, length));
    balance.before(*m, calibration, common.listener());
    if (fixed()) quantize.begin = quantize.freeze = calibration.steps;
    Quantizer quantizer(quantize);
    quantizer.attach(*m->bert, m->store);
    if (fixed())
      calibrate(quantizer, *m, calibration, false, common.listener());
    else
      quantizer.before_forward(0);
    if (!analyze.empty()) print_sensitivity(analyze, calibration, *m, quantizer, common);
    const std::string what = quantizer.describe();
    if (!is_first_rank()) return 0;
    balance.after(*m);
    quantizer.convert();
    m->options.set("quantize", rows->all_of("quantize"));
    save_checkpoint(output.path, m->store, m->contents());
    print(before, *m, what, common);
    return 0;
  }

  void print(const PartReport& before, const Model& m, const std::string& what, const CommonOptions& common) const {
    const auto parts = report_of(m, length);
    const PartReport total = sum_of(parts);
    const auto file = static_cast<int64_t>(std::filesystem::file_size(output.path));
    if (common.json)
      return print_json({{"output", output.path},
                         {"file_bytes", file},
                         {"tensor_bytes", total.stored},
                         {"tensor_bytes_before", before.stored},
                         {"parts", parts_to_json(parts)}});
    if (common.quiet) return;
    std::printf("%s\n\n", what.c_str());
    print_parts(parts);
    std::printf("\ntensors in the file: %s instead of %s (%.1f %%); products in int8 by %s\n%s: %s\n",
                in_megabytes(total.stored).c_str(), in_megabytes(before.stored).c_str(),
                100 * static_cast<double>(total.stored) / static_cast<double>(before.stored),
                kernels::gemm_int8_kernel(), output.path.c_str(), in_megabytes(file).c_str());
  }
};

}  // namespace

int main(int argc, char** argv) {
  return run_program<Quantize>(
      argc, argv,
      "Makes an int8 model of a trained one, without training: the weights of encoder and pooler become integers, "
      "static ranges of their inputs are found on real text.\n"
      "Example: quantize --model model.h5 --output int8.h5 --mode static --calibration train.tsv",
      join_ranks);
}
