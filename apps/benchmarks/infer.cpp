// SPDX-License-Identifier: Apache-2.0
// Inference on the dev set, sorted by length: sentences a second.
#include "apps/benchmarks/benchmarks.h"
#include "apps/training/datasets.h"
#include "apps/training/evaluate.h"
#include "core/kernels/isa.h"
#include "core/parallel.h"
#include "data/text/read_text.h"

namespace espalier {

int bench_infer(const BenchOptions& o, const CommonOptions& common) {
  std::unique_ptr<Model> model;
  const double preparation = seconds_of([&] { model = o.model.open(common, true); });
  const int max_length = o.max_length.of(model->config.max_position_embeddings);
  const ChosenPrecision precision = choose(o.precision);
  model->bert->set_compute(precision.compute, Use::inference);
  const DataFolder folder = find_data(o.data);
  const TokenizedDataset data = read_text(folder.path / "dev.tsv", model->tokenizer, model->bert->head(), max_length);
  const double seconds =
      median_seconds(std::max<int64_t>(1, o.steps / 5), [&] { evaluate(*model->bert, data, o.batch_size); });
  print_figures({{"bench", "infer"},
                 {"model", o.model.source},
                 {"data", folder.path.string()},
                 {"batch_size", o.batch_size},
                 {"threads", threads()},
                 {"isa", kernels::current_isa()},
                 {"precision", name_of(precision.compute)},
                 {"products", precision.note},
                 {"cpu", kernels::cpu_description()},
                 {"sentences_per_second", static_cast<double>(data.sentences()) / seconds},
                 {"model_preparation_time", preparation},
                 {"peak_memory_gb", static_cast<double>(peak_memory()) * 1e-9}},
                common);
  return 0;
}

}  // namespace espalier
