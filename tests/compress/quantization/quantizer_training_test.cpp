// SPDX-License-Identifier: Apache-2.0
// Quantization-aware training: resumed runs and gradient checkpointing change no bit.
#include <gtest/gtest.h>

#include <algorithm>

#include "compress/pruning/pruner.h"
#include "compress/quantization/quantizer.h"
#include "optim/optimizer.h"
#include "tests/compress/quantization/quantizing.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

// Training with fake-quant; at `stop` all goes through a file into new objects.
std::vector<float> trained(const QuantizeOptions& options, int64_t stop, bool prune, bool checkpointing = false) {
  const TemporaryFolder folder;
  struct Parts {
    std::unique_ptr<Model> model = open_model("random:tiny", {.seed = 4});
    std::vector<std::unique_ptr<Compressor>> compressors;
    std::unique_ptr<Optimizer> optimizer;
  };
  const auto make = [&] {
    Parts p;
    if (prune) p.compressors.push_back(std::make_unique<Pruner>(PruneOptions{.amount = 0.5, .schedule = {.begin = 2}}));
    p.compressors.push_back(std::make_unique<Quantizer>(options));
    for (const auto& c : p.compressors) c->attach(*p.model->bert, p.model->store);
    p.model->bert->set_gradient_checkpointing(checkpointing);
    p.optimizer = std::make_unique<Optimizer>(p.model->store, OptimizerOptions{});
    return p;
  };
  Parts p = make();
  for (int64_t step = 0; step < 8; ++step) {
    if (step == stop) {
      const TrainingState state;
      save_checkpoint(folder / "s.h5", p.model->store, p.model->contents(), p.optimizer.get(), &state,
                      [&](const Hdf5Group& root) {
                        for (size_t i = 0; i < p.compressors.size(); ++i)
                          p.compressors[i]->save(root.create_group("c" + std::to_string(i)));
                      });
      p = make();
      const Checkpoint saved(folder / "s.h5");
      saved.load_weights(p.model->store);
      saved.load_optimizer(*p.optimizer, p.model->store);
      for (size_t i = 0; i < p.compressors.size(); ++i)
        p.compressors[i]->load(saved.root().group("c" + std::to_string(i)));
    }
    for (const auto& c : p.compressors) c->before_forward(step);
    const PackedBatch batch = batch_of({sentences[static_cast<size_t>(step % 4)], sentences[0]});
    Tape tape;
    Context context{.tape = &tape, .training = true, .seed = 3, .step = static_cast<uint64_t>(step)};
    tape.backward(ops::cross_entropy((*p.model->bert)(batch, context), batch.labels, 2));
    for (const auto& c : p.compressors) c->after_backward(step);
    p.optimizer->step(1e-2, 1);
    for (const auto& c : p.compressors) c->after_step(step);
  }
  std::vector<float> result = logits(*p.model);
  dynamic_cast<Quantizer&>(*p.compressors.back()).convert();
  for (const float v : logits(*p.model)) result.push_back(v);
  return result;
}

TEST(Quantizer, ResumedTrainingHasTheSameBits) {
  for (const QuantizeOptions& options :
       {QuantizeOptions{.begin = 2, .freeze = 5}, QuantizeOptions{.mode = InputRanges::dynamic},
        QuantizeOptions{.observer = "histogram", .embedding_bits = 8},
        QuantizeOptions{.learned = true, .scale_rate = 1e-3}}) {
    const auto whole = trained(options, -1, true);
    for (const int64_t stop : {1, 3, 6})
      EXPECT_EQ(trained(options, stop, true), whole) << text_of(options.mode) << ' ' << stop;
    const size_t half = whole.size() / 2;
    EXPECT_TRUE(std::equal(whole.begin(), whole.begin() + static_cast<int64_t>(half),
                           whole.begin() + static_cast<int64_t>(half)))
        << "what was trained is what the integers answer: " << text_of(options.mode) << options.observer->name
        << options.learned;
    EXPECT_NE(trained(options, -1, false), whole);
  }
}

// Layers that run twice are watched once, and the second time is the first.
TEST(Quantizer, GradientCheckpointingChangesNothing) {
  for (const QuantizeOptions& options :
       {QuantizeOptions{.begin = 2, .freeze = 5}, QuantizeOptions{.mode = InputRanges::dynamic},
        QuantizeOptions{.observer = "percentile"}, QuantizeOptions{.learned = true, .scale_rate = 1e-3, .begin = 1}})
    EXPECT_EQ(trained(options, -1, false, true), trained(options, -1, false))
        << text_of(options.mode) << options.observer->name;
}

}  // namespace
}  // namespace espalier
