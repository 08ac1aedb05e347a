// SPDX-License-Identifier: Apache-2.0
// Inference on the dev set, sorted by length: sentences a second; for a model with pruned blocks also without them
// being left out, in turns.
#include "apps/benchmarks/benchmarks.h"
#include "apps/shared/datasets.h"
#include "apps/shared/evaluation.h"
#include "apps/shared/precision.h"
#include "core/kernels/isa.h"
#include "core/parallel.h"
#include "data/model_source.h"

namespace espalier {

int bench_infer(const BenchOptions& o, const CommonOptions& common) {
  OpenOptions open{.seed = common.seed};
  if (!o.vocab.empty()) open.vocabulary = o.vocab;
  std::unique_ptr<Model> model;
  const double preparation = seconds_of([&] { model = open_model(o.model, open); });
  check_max_length(o.max_length, model->config.max_position_embeddings);
  const Precision precision = choose_precision(o.precision);
  model->bert->set_compute(precision.compute, Use::inference);
  const DataFolder folder = find_data(o.data);
  const TokenizedDataset data = load_tsv(folder.path / "dev.tsv", model->tokenizer, model->config.labels, o.max_length);
  const int64_t sparse_weights =
      std::ranges::count_if(model->store.all(), [](const Parameter* p) { return p->sparse != nullptr; });
  const auto run = [&] { return seconds_of([&] { evaluate(*model->bert, data, o.batch_size); }); };
  std::vector<double> seconds, speedup;
  run();  // warms up
  const double memory = static_cast<double>(peak_memory()) * 1e-9;
  for (int64_t i = 0; i < std::max<int64_t>(1, o.steps / 5); ++i) {
    seconds.push_back(run());
    if (sparse_weights == 0) continue;
    model->bert->set_compute(precision.compute);
    speedup.push_back(run() / seconds.back());
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
                            {"sentences_per_second", static_cast<double>(data.sentences()) / median(seconds)},
                            {"model_preparation_time", preparation},
                            {"peak_memory_gb", memory}};
  if (sparse_weights > 0) {
    figures["sparse_weights"] = sparse_weights;
    figures["sparse_speedup"] = median(speedup);
  }
  print_figures(figures, common);
  return 0;
}

}  // namespace espalier
