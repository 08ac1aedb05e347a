// SPDX-License-Identifier: Apache-2.0
#include "apps/training/step.h"

#include <cmath>
#include <numeric>

#include "apps/training/timing.h"

namespace espalier {

bool StepResult::finite() const { return std::isfinite(loss) && std::isfinite(norm); }

StepResult take_step(Model& model, const Window& window, Compressor& compressor, const StepOptions& options) {
  StepResult result;
  compressor.before_forward(options.step);
  const bool looks_inside = compressor.looks_inside();
  const Head& head = model.bert->head();
  const LossWeight weight =
      std::accumulate(window.batches.begin(), window.batches.end(), LossWeight(),
                      [&](const LossWeight& sum, const PackedBatch& batch) { return sum + head.weight(batch); });
  uint64_t number = options.first_batch;
  for (const PackedBatch& batch : window.batches) {
    if (options.profile != nullptr) options.profile->start();
    Tape tape(options.profile);
    Context context{.tape = &tape, .training = options.training, .seed = options.seed, .step = number++};
    Var loss;
    result.forward_seconds += seconds_of([&] {
      Activations inside;
      const Var logits = (*model.bert)(batch, context, looks_inside ? &inside : nullptr);
      if (!options.gradients) return;
      loss = head.loss(logits, batch, weight);
      loss = compressor.loss(loss, {batch, window, logits, inside}, context);
      result.loss += static_cast<double>(*loss.value.data<float>());
    });
    if (options.gradients) result.backward_seconds += seconds_of([&] { tape.backward(loss); });
  }
  if (!options.gradients) return result;
  compressor.after_backward(options.step);
  if (options.profile != nullptr) options.profile->start();
  result.update_seconds = seconds_of([&] {
    if (options.optimizer == nullptr) return;
    result.norm = gradient_norm(model.store);
    if (result.finite()) options.optimizer->step(options.rate, clip_factor(result.norm, options.max_norm));
  });
  if (options.profile != nullptr) options.profile->lap("adamw", Profile::other);
  if (!result.finite()) return result;
  compressor.after_step(options.step);
  if (options.optimizer == nullptr) model.store.clear_gradients();
  return result;
}

}  // namespace espalier
