// SPDX-License-Identifier: Apache-2.0
// For tests of checkpoints: a small trained model, what is saved with it, and the file it is saved to.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/models/checkpoint.h"
#include "nn/bert.h"
#include "optim/optimizer.h"
#include "tests/temporary.h"

namespace espalier {

inline std::vector<std::string> vocabulary() {
  return {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "fine", "film", "##s", "é"};
}

inline BertConfig small_config(int64_t hidden = 8, int64_t layers = 2) {
  BertConfig config;
  config.vocab_size = std::ssize(vocabulary());
  config.hidden_size = hidden;
  config.num_hidden_layers = layers;
  config.num_attention_heads = 2;
  config.intermediate_size = 12;
  config.max_position_embeddings = 16;
  config.classifier_dropout = 0.25F;
  config.labels = {"bad", "good"};
  return config;
}

// A model with values, and an optimizer that has taken a step.
struct Trained {
  explicit Trained(uint64_t seed = 1, const BertConfig& config = small_config(), bool allocate = true)
      : bert(store, config) {
    if (!allocate) return;
    store.allocate(seed, 0.5F);
    optimizer = std::make_unique<Optimizer>(store, OptimizerOptions{});
    for (Parameter* p : store.all()) {
      p->grad.written = true;
      for (int64_t i = 0; i < p->shape.size(); ++i)
        p->grad.grad.data<float>()[i] = std::sin(static_cast<float>(i)) + p->value.data<float>()[i];
      if (p->grad.rows) p->grad.by_rows = false;
    }
    optimizer->step(0.1);
  }
  ParameterStore store;
  Bert bert;
  std::unique_ptr<Optimizer> optimizer;
};

inline CheckpointContents contents(const BertConfig& config = small_config()) {
  return {config,
          vocabulary(),
          {.lowercase = false,
           .strip_accents = true,
           .tokenize_chinese_chars = false,
           .segments = false,
           .added_tokens = {{.content = "fine", .special = true, .rstrip = true}, {"film"}}},
          {{"learning_rate", 2e-5}, {"model", "größer"}}};
}

inline TrainingState training_state() {
  return {.step = 1234567890123,
          .epoch = 2,
          .batch = 345,
          .seed = 18446744073709551615U,
          .best_accuracy = 0.1 + 0.2,
          .best_step = 12,
          .extra = {{"best_loss", 1.0 / 3}}};
}

inline bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::equal(a.raw(), a.raw() + a.bytes(), b.raw());
}

class CheckpointFile : public testing::Test {
 protected:
  void save(const Trained& run, const std::function<void(Hdf5Group)>& more = {}) const {
    const TrainingState state = training_state();
    save_checkpoint(file_, run.store, contents(run.bert.config()), run.optimizer.get(), &state, more);
  }
  std::string error(const std::function<void()>& action) const {
    std::string text = error_of<Error>(action);
    EXPECT_TRUE(text == "no error" || text.starts_with(file_.string() + ": ")) << text;
    return text;
  }
  std::string open_error() const {
    return error([&] { Checkpoint opened(file_); });
  }
  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "model.h5";
};

}  // namespace espalier
