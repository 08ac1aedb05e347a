// SPDX-License-Identifier: Apache-2.0
// Ranks that mpirun has started: messages between them, and training steps that they share.
#include <numeric>

#include "apps/benchmarks/benchmarks.h"
#include "apps/training/datasets.h"
#include "apps/training/step.h"
#include "compress/compressor_list.h"
#include "core/format.h"
#include "core/parallel.h"
#include "core/ranks.h"
#include "data/text/read_text.h"

namespace espalier {
namespace {

constexpr size_t bucket = size_t{4} << 20;  // bytes, about as many as travel at once in training

// Seconds for `bytes` to come to each rank from each other, all at the same time.
double exchange(size_t bytes) {
  std::vector<std::vector<std::byte>> in(static_cast<size_t>(ranks()), std::vector<std::byte>(bytes));
  const std::vector<std::byte> out(bytes);
  return median_seconds(20, [&] {
    std::vector<Transfer> transfers;
    for (int r = 0; r < ranks(); ++r) {
      if (r == rank()) continue;
      transfers.push_back(receive(r, Channel::gradients, in[static_cast<size_t>(r)]));
      transfers.push_back(send(r, Channel::gradients, out));
    }
  });
}

// Seconds of a message from rank 0 to the last one, half of there and back.
double one_way(size_t bytes) {
  std::vector<std::byte> message(bytes);
  const int other = rank() == 0 ? ranks() - 1 : 0;
  const double both = median_seconds(50, [&] {
    if (rank() == 0) send(other, Channel::control, message).wait();
    if (rank() == 0 || rank() == ranks() - 1) receive(other, Channel::control, message).wait();
    if (rank() == ranks() - 1) send(other, Channel::control, message).wait();
  });
  any_rank(false);
  return both / 2;
}

struct Steps {
  std::vector<double> seconds, sentence, forward, backward, update;
  int64_t tokens = 0;
  Traffic before = traffic();

  void add(const Window& window, const StepResult& r, double all) {
    seconds.push_back(all);
    sentence.push_back(all / static_cast<double>(window.sentences));
    forward.push_back(r.forward_seconds);
    backward.push_back(r.backward_seconds);
    update.push_back(r.update_seconds);
    tokens += window.tokens;
  }
};

Steps take_steps(const BenchOptions& o, const CommonOptions& common) {
  const auto model = o.model.open(common, true);
  model->bert->set_compute(choose(o.precision).compute);
  model->bert->set_gradient_checkpointing(o.gradient_checkpointing);
  const TokenizedDataset data = read_text(find_data(o.data).train, model->tokenizer, model->bert->head(),
                                          o.max_length.of(model->config.longest()));
  const Loader loader(
      data,
      {.batch_size = o.batch_size, .accumulate = o.accumulate, .micro_batches = o.micro_batches, .seed = common.seed});
  const Epoch epoch = loader.epoch(0);
  GradientSum sum({&model->store}, o.micro_batches, o.gradient_dtype == GradientType::bf16 ? DType::bf16 : DType::f32);
  Optimizer optimizer(model->store, {.dealt = true});
  CompressorList none;
  constexpr int64_t warm_up = 3;
  Steps steps;
  const Listener listener = common.listener();
  for (int64_t step = 0; step < o.steps + warm_up; ++step) {
    const Window window = epoch.window(step % loader.windows());
    any_rank(false);  // begins together
    if (step == warm_up) steps.before = traffic();
    StepResult r;
    const double seconds = seconds_of([&] {
      r = take_step(*model, window, none,
                    {.step = step,
                     .first_batch = static_cast<uint64_t>(step * o.accumulate * o.micro_batches),
                     .seed = common.seed,
                     .sum = &sum,
                     .optimizer = &optimizer,
                     .rate = 2e-5,
                     .max_norm = 1});
    });
    listener.progress(step + 1, o.steps + warm_up, format("%.1f ms", 1e3 * seconds));
    if (step >= warm_up) steps.add(window, r, seconds);
  }
  return steps;
}

double mean_over_ranks(double mine) {
  const std::vector<double> all = gather_all(std::span(&mine, 1));
  return std::accumulate(all.begin(), all.end(), 0.0) / static_cast<double>(ranks());
}

}  // namespace

int bench_mpi(const BenchOptions& o, const CommonOptions& common) {
  const bool several = ranks() > 1;
  const double latency = several ? one_way(8) : 0, large = several ? one_way(bucket) : 0,
               all = several ? exchange(bucket) : 0;
  const double rate = several ? static_cast<double>(bucket) * (ranks() - 1) / all : 0;  // bytes a second to each rank
  const double gather = median_seconds(50, [] { any_rank(false); });
  const Steps s = take_steps(o, common);
  const Traffic now = traffic();
  const auto steps = static_cast<double>(o.steps);
  const double received = mean_over_ranks(static_cast<double>(now.bytes_received - s.before.bytes_received)) / steps,
               waited = mean_over_ranks(now.seconds_waited - s.before.seconds_waited) / steps,
               memory = mean_over_ranks(static_cast<double>(peak_memory()));
  Record figures = {{"bench", "mpi"},
                    {"ranks", ranks()},
                    {"threads", threads()},
                    {"model", o.model.source},
                    {"batch_size", o.batch_size},
                    {"accumulate", o.accumulate},
                    {"micro_batches", o.micro_batches},
                    {"gradient_dtype", text_of(o.gradient_dtype)},
                    {"tokens_per_step", static_cast<double>(s.tokens) / steps},
                    {"examples_per_second", 1 / median(s.sentence)},
                    {"step_ms", 1e3 * median(s.seconds)},
                    {"forward_ms", 1e3 * median(s.forward)},
                    {"backward_ms", 1e3 * median(s.backward)},
                    {"update_ms", 1e3 * median(s.update)},
                    {"peak_memory_gb", memory * 1e-9}};
  if (several) {
    figures.set("latency_us", 1e6 * latency);
    figures.set("gather_us", 1e6 * gather);
    figures.set("one_way_mb_per_second", 1e-6 * static_cast<double>(bucket) / large);
    figures.set("exchange_mb_per_second", 1e-6 * rate);
    figures.set("mb_per_step", 1e-6 * received);  // to each rank
    figures.set("transfer_ms", 1e3 * received / rate);
    figures.set("waited_ms", 1e3 * waited);  // for messages, and for ranks that were slower
    figures.set("hidden_share", std::max(0.0, 1 - waited * rate / received));
  }
  print_figures(figures, common);
  return 0;
}

}  // namespace espalier
