// SPDX-License-Identifier: Apache-2.0
// Compresses a small model in training: first 60 % of the encoder's weights go, then the others become powers of two.
// lab OUTPUT.h5 [STEPS]: stops after STEPS steps and keeps OUTPUT.h5.state; started again, it goes on from there.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>

#include "compress/pruning/pruner.h"
#include "data/models/model_source.h"
#include "data/text/demo_corpus.h"
#include "data/text/loader.h"
#include "optim/schedule.h"
#include "power_of_two.h"
#include "relative_importance.h"

namespace {
using namespace espalier;

constexpr uint64_t seed = 1;
constexpr int64_t total = 240;

TokenizedDataset reviews(Split split, const WordPiece& tokenizer) {
  const auto tokenize = [&](const Example& example, std::vector<int32_t>& ids, std::vector<int32_t>& segments) {
    auto encoding = tokenizer.encode(example.first, 64);
    ids = std::move(encoding.ids);
    segments = std::move(encoding.segments);
  };
  return tokenize_dataset(demo_corpus(split, seed), tokenize);
}

double loss_on(const TokenizedDataset& data, const Bert& bert) {
  const Loader loader(data, {.batch_size = data.sentences(), .order = Order::file});
  const PackedBatch batch = loader.epoch(0).batch(0);
  Context context;  // without a tape nothing is recorded
  const Var loss = ops::cross_entropy(bert(batch, context), batch.labels, static_cast<double>(batch.sentences()));
  return static_cast<double>(*loss.value.data<float>());
}

// What the forward pass sees of the encoder's matrices.
struct Encoder {
  double zeros = 0;    // per cent
  int64_t values = 0;  // different ones in a matrix, at most
};
Encoder look_at(const Bert& bert) {
  int64_t zeros = 0, weights = 0, values = 0;
  for (const EncoderLayer& layer : bert.layers())
    for (const Linear* linear : layer.linears()) {
      const Tensor seen = linear->weight.use({}).value;
      const std::span<const float> w = seen.span<float>();
      zeros += std::ranges::count(w, 0.0F);
      weights += std::ssize(w);
      values = std::max(values, std::ssize(std::set<float>(w.begin(), w.end())));
    }
  return {100 * static_cast<double>(zeros) / static_cast<double>(weights), values};
}

void run(const std::string& output, int64_t steps) {
  const auto model = open_model("random:tiny", {.seed = seed});
  const auto train = reviews(Split::train, model->tokenizer), dev = reviews(Split::dev, model->tokenizer);
  const Loader loader(train, {.batch_size = 32, .seed = seed});
  const Schedule schedule{.peak = 2e-3, .warmup = 10, .total = total};
  AdamW optimizer(model->store, {});
  TrainingState state{.seed = seed};

  const PruneOptions prune{.amount = 0.6, .schedule = {.kind = "cubic", .begin = 60, .end = 120, .interval = 20}};
  std::vector<std::unique_ptr<Compressor>> compressors;
  compressors.push_back(std::make_unique<Pruner>(prune, std::make_unique<lab::RelativeImportance>()));
  compressors.push_back(std::make_unique<lab::PowerOfTwo>(180));
  for (const auto& c : compressors) {
    c->attach(*model->bert, model->store);
    std::printf("%s\n", c->describe().c_str());
  }

  const std::string state_file = output + ".state";
  if (std::filesystem::exists(state_file)) {
    const Checkpoint saved(state_file);
    saved.load_weights(model->store);
    saved.load_optimizer(optimizer, model->store);
    for (size_t i = 0; i < compressors.size(); ++i) compressors[i]->load(saved.root().group(std::to_string(i)));
    state = saved.state();
  }

  for (; state.step < steps; ++state.step) {
    const PackedBatch batch = loader.epoch(state.step / loader.batches()).batch(state.step % loader.batches());
    for (const auto& c : compressors) c->before_forward(state.step);
    Tape tape;
    Context context{.tape = &tape, .training = true, .seed = seed, .step = static_cast<uint64_t>(state.step)};
    const Var logits = (*model->bert)(batch, context);
    const Var loss = ops::cross_entropy(logits, batch.labels, static_cast<double>(batch.sentences()));
    tape.backward(loss);
    for (const auto& c : compressors) c->after_backward(state.step);
    optimizer.step(schedule.rate(state.step), clip_factor(gradient_norm(model->store), 1));
    for (const auto& c : compressors) c->after_step(state.step);
    if (state.step % 20 == 19)
      std::printf("step %ld  loss %.4f  zeros %.1f %%\n", state.step + 1,
                  static_cast<double>(*loss.value.data<float>()), look_at(*model->bert).zeros);
  }

  if (steps < total) {
    save_checkpoint(state_file, model->store, model->contents(), &optimizer, &state, [&](const Hdf5Group& root) {
      for (size_t i = 0; i < compressors.size(); ++i) compressors[i]->save(root.create_group(std::to_string(i)));
    });
    return;
  }

  save_checkpoint(output, model->store, model->contents());

  const auto read = open_model(output);
  CHECK(loss_on(dev, *read->bert) == loss_on(dev, *model->bert), "the file predicts otherwise than the model");
  const Encoder found = look_at(*read->bert);
  std::printf("dev loss %.4f  zeros %.1f %%  at most %ld values a matrix\n", loss_on(dev, *read->bert), found.zeros,
              found.values);
}

}  // namespace

int main(int argc, char** argv) try {
  CHECK(argc == 2 || argc == 3, "usage: lab OUTPUT.h5 [STEPS]");
  run(argv[1], argc == 3 ? std::stol(argv[2]) : total);
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
