// SPDX-License-Identifier: Apache-2.0
// What a model consists of: parameters, sparsity, bytes and work of each part.
#include <cstdio>

#include "apps/cli/complexity_table.h"
#include "apps/cli/model_option.h"
#include "apps/cli/part_table.h"
#include "nn/mask.h"

namespace {
using namespace espalier;

struct Inspect {
  ModelOption source;
  int64_t length = 32;

  void declare(Options& rows) {
    source.declare(rows, true);
    rows.add("length", length, "tokens a sentence, for the work of attention and head").at_least(1);
  }
  int run(const CommonOptions& common) const;
};

int Inspect::run(const CommonOptions& common) const {
  const auto model = source.open(common, true);
  const auto parts = report_of(*model, length);
  const PartReport total = sum_of(parts), full = before_shrinking(*model, total, length);
  const BertConfig& config = model->config;
  std::vector<int64_t> heads, widths;
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    heads.push_back(config.heads_of(i));
    widths.push_back(config.intermediate_of(i));
  }
  const int64_t memory = static_cast<int64_t>(model->store.values().bytes()), file = size_of_model(source.source);
  const int64_t pruned = std::ssize(masks_of(model->store));
  const auto histogram = magnitude_histogram(*model);
  if (common.json) {
    Record bins;
    for (size_t i = 0; i < histogram.size(); ++i) bins.set(histogram_bins()[i], histogram[i]);
    print_json({{"model", source.source},
                {"parameters", total.parameters},
                {"sparsity", total.sparsity()},
                {"bits", std::vector<int>(total.bits.begin(), total.bits.end())},
                {"file_bytes", file},
                {"memory_bytes", memory},
                {"flop_per_token", total.flop},
                {"expected_speedup", full.flop / total.work(DType::f32)},
                {"expected_speedup_bf16", full.flop / total.work(DType::bf16)},
                {"layer_heads", heads},
                {"layer_intermediate", widths},
                {"length", length},
                {"pruned_tensors", pruned},
                {"task", config.head},
                {"labels", config.labels},
                {"initialised", model->report.initialised},
                {"parts", parts_to_json(parts)},
                {"complexity", complexity_to_json(complexity_of(*model), config.longest())},
                {"histogram", bins},
                {"options", model->options}});
    return 0;
  }
  print_parts(parts);
  std::printf("\nfile %s, numbers of %s bits; %s of parameters in memory; work for sentences of %ld tokens\n",
              file > 0 ? in_megabytes(file).c_str() : "none", bits_of(total).c_str(), in_megabytes(memory).c_str(),
              length);
  std::printf("task: %s; labels: %s\n", config.head.c_str(), model->report.labels.c_str());
  if (!model->report.initialised.empty()) std::printf("%s\n", model->report.text().c_str());
  std::printf("pruned tensors: %ld\n|w| of the encoder's linear layers:", pruned);
  for (size_t i = 0; i < histogram.size(); ++i) std::printf("  %s %.1f%%", histogram_bins()[i], 100 * histogram[i]);
  std::printf("\n");
  const bool shrunk = full.parameters > total.parameters;
  if (shrunk)
    std::printf("shrunk: of %ld heads and %ld feed-forward neurons a layer, %s and %s are left\n",
                config.num_attention_heads, config.intermediate_size, Record(heads).text().c_str(),
                Record(widths).text().c_str());
  if (shrunk || pruned > 0) std::printf("%s", what_it_brings(full, total).c_str());
  print_complexity(complexity_of(*model), config.longest());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program<Inspect>(argc, argv,
                              "Shows what a model consists of: parameters, zeros, bytes in a checkpoint and "
                              "floating-point operations a token, part by part; and its work by the length of "
                              "sentences.\nExample: inspect model.h5");
}
