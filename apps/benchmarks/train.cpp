// SPDX-License-Identifier: Apache-2.0
// Training steps on real sentence lengths: median examples a second, the time of each part, memory.
#include "apps/benchmarks/profile.h"
#include "apps/training/datasets.h"
#include "apps/training/step.h"
#include "compress/compressor_list.h"
#include "compress/pruning/pruner.h"
#include "compress/quantization/quantizer.h"
#include "core/format.h"
#include "core/kernels/isa.h"
#include "core/parallel.h"
#include "data/text/read_text.h"

namespace espalier {
namespace {

// What the measured steps took, in seconds.
struct StepTimes {
  std::vector<double> sentence, forward, backward, update;
  int64_t tokens = 0, sentences = 0;

  void add(const Window& window, const StepResult& r) {
    sentence.push_back(seconds(r) / static_cast<double>(window.sentences));
    forward.push_back(r.forward_seconds);
    backward.push_back(r.backward_seconds);
    update.push_back(r.update_seconds);
    tokens += window.tokens;
    sentences += window.sentences;
  }
  static double seconds(const StepResult& r) { return r.forward_seconds + r.backward_seconds + r.update_seconds; }
};

}  // namespace

int bench_train(const BenchOptions& o, const CommonOptions& common) {
  const auto model = o.model.open(common, true);
  const int max_length = o.max_length.of(model->config.longest());
  const ChosenPrecision precision = choose(o.precision);
  CompressorList compressors;
  if (o.mask > 0) compressors.add(std::make_unique<Pruner>(PruneOptions{.amount = o.mask}));
  if (o.qat) compressors.add(std::make_unique<Quantizer>(QuantizeOptions{}));
  compressors.attach(*model->bert, model->store);
  model->bert->set_compute(precision.compute);
  model->bert->set_gradient_checkpointing(o.gradient_checkpointing);
  const DataFiles files = find_data(o.data);
  const TokenizedDataset data = read_text(files.train, model->tokenizer, model->bert->head(), max_length);
  const Loader loader(data, {.batch_size = o.batch_size, .accumulate = o.accumulate, .seed = common.seed});
  const Epoch epoch = loader.epoch(0);
  Optimizer optimizer(model->store, {});
  constexpr int64_t warm_up = 3;

  Profile profile;
  const MachineLimits limits = o.profile ? measure_limits(precision.compute) : MachineLimits{};
  StepTimes times;
  const Listener listener = common.listener();
  for (int64_t step = 0; step < o.steps + warm_up; ++step) {
    const Window window = epoch.window(step % loader.windows());
    const StepResult r = take_step(*model, window, compressors,
                                   {.step = step,
                                    .first_batch = static_cast<uint64_t>(step * o.accumulate),
                                    .seed = common.seed,
                                    .optimizer = &optimizer,
                                    .rate = 2e-5,
                                    .max_norm = 1,
                                    .profile = o.profile && step >= warm_up ? &profile : nullptr});
    listener.progress(step + 1, o.steps + warm_up, format("%.1f ms", 1e3 * StepTimes::seconds(r)));
    if (step >= warm_up) times.add(window, r);
  }
  print_figures({{"bench", "train"},
                 {"model", o.model.source},
                 {"data", files.where},
                 {"batch_size", o.batch_size},
                 {"steps", o.steps},
                 {"threads", threads()},
                 {"isa", kernels::current_isa()},
                 {"mask", o.mask},
                 {"qat", o.qat},
                 {"precision", name_of(precision.compute)},
                 {"products", precision.note},
                 {"cpu", kernels::cpu_description()},
                 {"examples_per_second", 1 / median(times.sentence)},
                 {"tokens_per_step", static_cast<double>(times.tokens) / static_cast<double>(o.steps)},
                 {"tokens_per_sentence", static_cast<double>(times.tokens) / static_cast<double>(times.sentences)},
                 {"forward_ms", 1e3 * median(times.forward)},
                 {"backward_ms", 1e3 * median(times.backward)},
                 {"optimizer_ms", 1e3 * median(times.update)},
                 {"peak_memory_gb", static_cast<double>(peak_memory()) * 1e-9}},
                common);
  if (o.profile) print_profile(profile, o.steps, limits, common);
  return 0;
}

}  // namespace espalier
