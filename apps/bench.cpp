// SPDX-License-Identifier: Apache-2.0
// The figures that the project claims, measured here and now. Unset OPENBLAS_CORETYPE before: it changes OpenBLAS's
// speed.
#include <cstdio>

#include "apps/benchmarks/benchmarks.h"
#include "apps/shared/precision.h"

namespace espalier {

void print_figures(const nlohmann::json& figures, const CommonOptions& common) {
  if (common.json) return print_json(figures);
  for (const auto& [name, value] : figures.items()) {
    if (name == "bench") continue;
    const std::string text = value.is_number_float() ? format("%.3f", value.get<double>())
                             : value.is_string()     ? value.get<std::string>()
                                                     : value.dump();
    std::printf("%-22s %s\n", name.c_str(), text.c_str());
  }
  std::printf("\n");
}

namespace {

using Measure = int (*)(const BenchOptions&, const CommonOptions&);

std::function<int(const CommonOptions&)> declare(CLI::App& app, BenchOptions& o, Measure& chosen) {
  app.require_subcommand(1);
  app.fallthrough();
  const auto add = [&](const char* name, const char* text, Measure measure) {
    CLI::App* sub = app.add_subcommand(name, text);
    sub->fallthrough();
    sub->callback([&chosen, measure] { chosen = measure; });
  };
  add("train", "training steps: median examples a second, time per part, peak memory", bench_train);
  add("infer", "inference on dev.tsv, sorted by length: sentences a second", bench_infer);
  add("gemm", "products at BERT-base's shapes", bench_gemm);
  add("sparse", "products with pruned blocks against dense ones", bench_sparse);
  add("adamw", "clipping and AdamW against one plain pass over the same memory", bench_adamw);
  add("attention", "attention at several lengths: speed and kept memory", bench_attention);
  o.model.declare(app);
  app.add_option("--data", o.data, "folder with train.tsv and dev.tsv; default as train_sst2's");
  const CLI::Range positive(int64_t{1}, int64_t{1} << 20);
  app.add_option("--batch-size", o.batch_size, "sentences a batch")->check(positive)->capture_default_str();
  app.add_option("--accumulate", o.accumulate, "batches a training step")->check(positive)->capture_default_str();
  app.add_option("--steps", o.steps, "measured steps or repetitions")->check(positive)->capture_default_str();
  app.add_option("--max-length", o.max_length, "tokens a sentence")->capture_default_str();
  app.add_flag("--profile", o.profile,
               "train: time, bytes and GFLOP/s of each op, and the distance from what this machine can do");
  app.add_option("--mask", o.mask, "train: share of the encoder's weights that are masked, as in pruning")
      ->capture_default_str();
  app.add_flag("--qat", o.qat, "train: with fake-quant on weights and inputs, as train_sst2 --qat.on");
  app.add_option("--block", o.block, "sparse: outputs and inputs of a block, such as 32x32")->capture_default_str();
  declare_precision(app, o.precision);
  app.add_flag("--gradient-checkpointing", o.gradient_checkpointing,
               "train: keep only each layer's input for the backward pass");
  return [&](const CommonOptions& common) { return chosen(o, common); };
}

}  // namespace
}  // namespace espalier

int main(int argc, char** argv) {
  espalier::BenchOptions options;
  espalier::Measure chosen = nullptr;
  return espalier::run_program(argc, argv,
                               "Measures what the project claims: run it with nothing else on the machine.\nExample: "
                               "bench train --model random:base --vocab vocab.txt --steps 20",
                               [&](CLI::App& app) { return espalier::declare(app, options, chosen); });
}
