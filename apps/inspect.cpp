// SPDX-License-Identifier: Apache-2.0
// What a model consists of: parameters, sparsity, bytes and work of each part.
#include <cstdio>

#include "apps/shared/part_table.h"
#include "apps/shared/program.h"

namespace {
using namespace espalier;

struct Options {
  std::string model, vocab;
  int64_t length = 32;
};

int run(const Options& o, const CommonOptions& common) {
  CHECK(o.length >= 1, "--length ", o.length, ": at least 1 token is expected");
  const auto model = open_model(o.model, {.seed = common.seed, .vocabulary = o.vocab});
  const auto parts = report_of(*model, o.length);
  const PartReport total = sum_of(parts);
  const int64_t memory = static_cast<int64_t>(model->store.values().bytes()), file = size_of_model(o.model);
  const auto histogram = magnitude_histogram(*model);
  if (common.json) {
    nlohmann::json bins;
    for (size_t i = 0; i < histogram.size(); ++i) bins[histogram_bins()[i]] = histogram[i];
    print_json({{"model", o.model},
                {"parameters", total.parameters},
                {"sparsity", total.sparsity()},
                {"bits", total.bits},
                {"file_bytes", file},
                {"memory_bytes", memory},
                {"flop_per_token", total.flop},
                {"expected_speedup", total.flop / total.work()},
                {"length", o.length},
                {"pruned_tensors", model->pruned.size()},
                {"parts", parts_to_json(parts)},
                {"histogram", bins},
                {"options", model->options}});
    return 0;
  }
  print_parts(parts);
  std::printf("\nfile %s, numbers of %s bits; %s of parameters in memory; work for sentences of %ld tokens\n",
              file > 0 ? in_megabytes(file).c_str() : "none", bits_of(total).c_str(), in_megabytes(memory).c_str(),
              o.length);
  std::printf("pruned tensors: %ld\n|w| of the encoder's linear layers:", std::ssize(model->pruned));
  for (size_t i = 0; i < histogram.size(); ++i) std::printf("  %s %.1f%%", histogram_bins()[i], 100 * histogram[i]);
  std::printf("\n");
  if (!model->pruned.empty()) std::printf("%s", what_it_brings(total, total).c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  return run_program(
      argc, argv,
      "Shows what a model consists of: parameters, zeros, bytes in a checkpoint and floating-point "
      "operations a token, part by part.\nExample: inspect model.h5",
      [&](CLI::App& app) {
        app.add_option("model", o.model, "checkpoint FILE.h5, Hugging Face directory or random:SIZE")->required();
        app.add_option("--length", o.length, "tokens a sentence, for the work of attention and head")
            ->capture_default_str();
        app.add_option("--vocab", o.vocab, "vocab.txt for random:* models");
        return [&](const CommonOptions& common) { return run(o, common); };
      });
}
