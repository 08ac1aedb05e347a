// SPDX-License-Identifier: Apache-2.0
// Inference on the dev set, sorted by length: sentences a second; of a model with pruned blocks also without skipping
// them, in turns.
#include "apps/benchmarks/benchmarks.h"
#include "apps/shared/datasets.h"
#include "apps/shared/evaluation.h"
#include "apps/shared/precision.h"
#include "core/kernels/isa.h"
#include "core/parallel.h"
#include "data/model_source.h"

namespace espalier {

int bench_infer(const BenchOptions& o, const CommonOptions& common) {
  std::unique_ptr<Model> model;
  const double preparation =
      seconds_of([&] { model = open_model(o.model, {.seed = common.seed, .vocabulary = o.vocab}); });
  check_max_length(o.max_length, model->config.max_position_embeddings);
  const Precision precision = choose_precision(o.precision);
  model->bert->set_compute(precision.compute, Use::inference);
  const DataFolder folder = find_data(o.data);
  const TokenizedDataset data = load_tsv(folder.path / "dev.tsv", model->tokenizer, model->config.labels, o.max_length);
  const bool skips = std::ranges::any_of(model->store.all(), [](const Parameter* p) { return p->sparse != nullptr; });
  const auto run = [&] { evaluate(*model->bert, data, o.batch_size); };
  const auto rate = [&](const std::vector<double>& seconds) {
    return static_cast<double>(data.sentences()) / median(seconds);
  };
  std::vector<double> seconds, dense;
  run();
  const double memory = static_cast<double>(peak_memory()) * 1e-9;
  for (int64_t i = 0; i < std::max<int64_t>(1, o.steps / 5); ++i) {
    seconds.push_back(seconds_of(run));
    if (!skips) continue;
    model->bert->set_compute(precision.compute);
    dense.push_back(seconds_of(run));
    model->bert->set_compute(precision.compute, Use::inference);
  }
  nlohmann::json figures = {{"bench", "infer"},
                            {"model", o.model},
                            {"data", folder.path.string()},
                            {"batch_size", o.batch_size},
                            {"threads", threads()},
                            {"isa", kernels::current_isa()},
                            {"precision", name_of(precision.compute)},
                            {"products", precision.note},
                            {"cpu", kernels::cpu_description()},
                            {"sentences_per_second", rate(seconds)},
                            {"model_preparation_time", preparation},
                            {"peak_memory_gb", memory}};
  if (skips) figures["without_skipping"] = rate(dense);
  print_figures(figures, common);
  return 0;
}

}  // namespace espalier
