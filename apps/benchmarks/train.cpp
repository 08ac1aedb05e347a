// SPDX-License-Identifier: Apache-2.0
// Training steps on real sentence lengths: median examples a second, the time of each part, memory.
#include "apps/benchmarks/profile.h"
#include "apps/shared/datasets.h"
#include "apps/shared/precision.h"
#include "apps/shared/progress.h"
#include "compress/pruning/pruner.h"
#include "compress/quantization/quantizer.h"
#include "core/kernels/isa.h"
#include "core/parallel.h"
#include "data/models/model_source.h"
#include "optim/adamw.h"

namespace espalier {

int bench_train(const BenchOptions& o, const CommonOptions& common) {
  const auto model = o.model.open(common);
  check_max_length(o.max_length, model->config.max_position_embeddings);
  const Precision precision = choose_precision(o.precision);
  CHECK(o.mask >= 0 && o.mask < 1, "--mask ", o.mask, ": a share in [0, 1) is expected");
  Pruner pruner({.amount = o.mask});
  if (o.mask > 0) {
    pruner.attach(*model->bert, model->store);
    pruner.before_forward(0);
  }
  Quantizer quantizer({.mode = "static"});
  if (o.qat) quantizer.attach(*model->bert, model->store);
  model->bert->set_compute(precision.compute);
  model->bert->set_gradient_checkpointing(o.gradient_checkpointing);
  const DataFolder folder = find_data(o.data);
  const TokenizedDataset data =
      load_tsv(folder.path / "train.tsv", model->tokenizer, model->bert->head(), o.max_length);
  const Loader loader(data, {.batch_size = o.batch_size, .accumulate = o.accumulate, .seed = common.seed});
  const Epoch epoch = loader.epoch(0);
  AdamW optimizer(model->store, {});
  constexpr int64_t warm_up = 3;
  CHECK(o.steps >= 1, "--steps ", o.steps, ": at least 1 is expected");

  Profile profile;
  const MachineLimits limits = o.profile ? measure_limits(precision.compute) : MachineLimits{};
  std::vector<double> steps, forward, backward, update;
  int64_t tokens = 0, sentences = 0;
  Progress progress(o.steps + warm_up, !common.quiet, true);
  for (int64_t step = 0; step < o.steps + warm_up; ++step) {
    const Window window = epoch.window(step % loader.windows());
    double times[3] = {};
    quantizer.before_forward(step);
    for (const PackedBatch& batch : window.batches) {
      Profile* const used = o.profile && step >= warm_up ? &profile : nullptr;
      profile.start();
      Tape tape(used);
      Context context{.tape = &tape, .training = true, .seed = common.seed, .step = static_cast<uint64_t>(step)};
      Var loss;
      times[0] +=
          seconds_of([&] { loss = model->bert->head().loss((*model->bert)(batch, context), batch, window.labelled); });
      times[1] += seconds_of([&] { tape.backward(loss); });
    }
    profile.start();
    times[2] = seconds_of([&] { optimizer.step(2e-5, clip_factor(gradient_norm(model->store), 1)); });
    if (step >= warm_up) profile.lap("adamw", Profile::other);
    progress.update(step + 1, format("%.1f ms", 1e3 * (times[0] + times[1] + times[2])));
    if (step < warm_up) continue;
    steps.push_back((times[0] + times[1] + times[2]) / static_cast<double>(window.sentences));
    forward.push_back(times[0]);
    backward.push_back(times[1]);
    update.push_back(times[2]);
    tokens += window.tokens;
    sentences += window.sentences;
  }
  print_figures({{"bench", "train"},
                 {"model", o.model.source},
                 {"data", folder.path.string()},
                 {"batch_size", o.batch_size},
                 {"steps", o.steps},
                 {"threads", threads()},
                 {"isa", kernels::current_isa()},
                 {"mask", o.mask},
                 {"qat", o.qat},
                 {"precision", name_of(precision.compute)},
                 {"products", precision.note},
                 {"cpu", kernels::cpu_description()},
                 {"examples_per_second", 1 / median(steps)},
                 {"tokens_per_step", static_cast<double>(tokens) / static_cast<double>(o.steps)},
                 {"tokens_per_sentence", static_cast<double>(tokens) / static_cast<double>(sentences)},
                 {"forward_ms", 1e3 * median(forward)},
                 {"backward_ms", 1e3 * median(backward)},
                 {"optimizer_ms", 1e3 * median(update)},
                 {"peak_memory_gb", static_cast<double>(peak_memory()) * 1e-9}},
                common);
  if (o.profile) print_profile(profile, o.steps, limits, common);
  return 0;
}

}  // namespace espalier
