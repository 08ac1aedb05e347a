// SPDX-License-Identifier: Apache-2.0
#include "apps/training/step.h"

#include <cmath>
#include <numeric>

#include "apps/training/observations.h"
#include "apps/training/timing.h"
#include "core/check.h"
#include "core/dealt.h"

namespace espalier {
namespace {

// The forward and backward passes of a step, lane by lane; see Window.
class Passes {
 public:
  Passes(Model& model, const Window& window, Compressor& compressor, const StepOptions& options, StepResult& result)
      : model_(model),
        window_(window),
        compressor_(compressor),
        options_(options),
        result_(result),
        looks_inside_(compressor.looks_inside()),
        losses_(window.batches.size()) {
    for (const PackedBatch& batch : window.batches) weight_ = weight_ + model.bert->head().weight(batch);
  }

  bool has_work(int64_t lane) const {
    return std::ranges::any_of(batches(lane), [](const PackedBatch& batch) { return batch.sentences() > 0; });
  }

  // `done` hears of the lane's gradients when its last batch completes them.
  void run(int64_t lane, const Tape::LeafDone& done = {}) {
    const std::span<const PackedBatch> all = batches(lane);
    size_t last = all.size() - 1;
    while (all[last].sentences() == 0) --last;
    for (size_t i = 0; i <= last; ++i)
      if (all[i].sentences() > 0) pass(lane, static_cast<int64_t>(i), i == last ? done : Tape::LeafDone());
    observations_.take(compressor_);
  }

  // This rank's lanes, for their forward passes alone.
  void run_own() {
    const int64_t end = first_lane(window_.lanes, rank() + 1, ranks());
    for (int64_t lane = first_lane(window_.lanes, rank(), ranks()); lane < end; ++lane)
      if (has_work(lane)) run(lane);
  }

  // The compressor learns what all lanes showed to it.
  void end(bool all_ranks) { observations_.exchange(compressor_, all_ranks); }

  double loss() const { return std::accumulate(losses_.begin(), losses_.end(), 0.0); }

  // Every rank calls it: with the losses of the others' lanes, in the same order.
  double loss_of_all() {
    take_from_owners(losses_, [&](size_t i) {
      return rank_of_lane(static_cast<int64_t>(i) / window_.batches_in_lane(), window_.lanes, ranks());
    });
    return loss();
  }

 private:
  std::span<const PackedBatch> batches(int64_t lane) const {
    const auto count = static_cast<size_t>(window_.batches_in_lane());
    return std::span(window_.batches).subspan(static_cast<size_t>(lane) * count, count);
  }

  void pass(int64_t lane, int64_t index, const Tape::LeafDone& done) {
    const PackedBatch& batch = batches(lane)[static_cast<size_t>(index)];
    if (options_.profile != nullptr) options_.profile->start();
    Tape tape(options_.profile);
    const uint64_t number = options_.first_batch + static_cast<uint64_t>(index * window_.lanes + lane);
    Context context{.tape = &tape, .training = options_.training, .seed = options_.seed, .step = number};
    Var loss;
    result_.forward_seconds += seconds_of([&] {
      Activations inside;
      const Var logits = (*model_.bert)(batch, context, looks_inside_ ? &inside : nullptr);
      if (!options_.gradients) return;
      loss = model_.bert->head().loss(logits, batch, weight_);
      loss = compressor_.loss(loss, {batch, window_, logits, inside}, context);
      losses_[static_cast<size_t>(lane * window_.batches_in_lane() + index)] =
          static_cast<double>(*loss.value.data<float>());
    });
    if (options_.gradients) result_.backward_seconds += seconds_of([&] { tape.backward(loss, {}, done); });
  }

  Model& model_;
  const Window& window_;
  Compressor& compressor_;
  const StepOptions& options_;
  StepResult& result_;
  bool looks_inside_;
  LossWeight weight_;
  std::vector<double> losses_;  // [batches]
  Observations observations_;
};

}  // namespace

bool StepResult::finite() const { return std::isfinite(loss) && std::isfinite(norm); }

StepResult take_step(Model& model, const Window& window, Compressor& compressor, const StepOptions& options) {
  StepResult result;
  compressor.before_forward(options.step);
  Passes passes(model, window, compressor, options, result);
  GradientSum* const sum = options.sum;
  CHECK(!options.gradients || window.lanes == (sum == nullptr ? 1 : sum->lanes()), "step: a window of ", window.lanes,
        " micro-batches a batch meets a sum over another number of them");
  if (!options.gradients) {
    passes.run_own();
  } else if (sum == nullptr) {
    passes.run(0);
  } else {
    std::vector<uint8_t> has_work;
    for (int64_t lane = 0; lane < window.lanes; ++lane) has_work.push_back(passes.has_work(lane) ? 1 : 0);
    sum->run(has_work, [&](int64_t lane, const Tape::LeafDone& done) { passes.run(lane, done); });
  }
  passes.end(sum != nullptr || !options.gradients);
  if (!options.gradients) return result;
  const bool dealt = sum != nullptr && ranks() > 1;
  result.loss = dealt ? passes.loss_of_all() : passes.loss();
  if (dealt && compressor.reads_gradients()) gather_gradients(model.store);
  compressor.after_backward(options.step);
  if (options.profile != nullptr) options.profile->start();
  result.update_seconds = seconds_of([&] {
    if (options.optimizer == nullptr) return;
    result.norm = gradient_norm(model.store, dealt);
    if (result.finite()) options.optimizer->step(options.rate, clip_factor(result.norm, options.max_norm));
  });
  if (options.profile != nullptr) options.profile->lap("adamw", Profile::other);
  if (!result.finite()) return result;
  compressor.after_step(options.step);
  if (options.optimizer == nullptr) model.store.clear_gradients();
  return result;
}

}  // namespace espalier
