// SPDX-License-Identifier: Apache-2.0
// Pre-training at the size of random:mini over BERT's whole vocabulary, beside transformers: the weights and batches of
// tests/golden/pretraining_mini.py, about 300 masked tokens in each.
#include <algorithm>
#include <cmath>
#include <iostream>

#include "nn/bert.h"
#include "optim/optimizer.h"
#include "tests/golden/golden.h"

namespace espalier {
namespace {

PackedBatch texts_of(int32_t step) {
  PackedBatch batch;
  batch.offsets = {0};
  int32_t t = 0;
  for (int32_t b = 0; b < 16; ++b) {
    const int32_t length = 16 + (37 * b + 11 * step) % 40;
    const bool alone = b % 5 == 4;
    for (int32_t i = 0; i < length; ++i, ++t) {
      const int32_t word = 1000 + (7919 * t + 104729 * step) % 29000;
      const bool masked = i > 0 && (31 * t + 17 * step) % 2 == 1;
      batch.labels.push_back(masked ? word : -1);
      batch.ids.push_back(masked ? 103 : word);
      batch.segments.push_back(!alone && i >= length / 2 ? 1 : 0);
    }
    batch.values.push_back(alone ? -1.0F : static_cast<float>(b % 2));
    batch.offsets.push_back(t);
  }
  return batch;
}

TEST(PretrainingAtSize, TwentyStepsAgreeWithTransformers) {
  const golden::File file("pretraining_mini.txt");
  for (const Rule rule : {Rule::adamw, Rule::lamb}) {
    BertConfig config = BertConfig::of_size("mini");
    config.head = "pre-training";
    ParameterStore store;
    const Bert model(store, config);
    store.lay_out();
    for (const Parameter* p : store.all()) {
      const bool norm = p->role == Role::norm_weight;
      p->value.copy_from(golden::uniform(p->name, 1, p->shape, norm ? 0.1 : 0.05, DType::f32));
      if (norm)
        for (float& v : p->value.span<float>()) v += 1;
    }
    Optimizer optimizer(store, {.rule = rule});
    double worst = 0;
    for (int32_t step = 0; step < 20; ++step) {
      const PackedBatch batch = texts_of(step);
      Tape tape;
      Context context{.tape = &tape};
      const Var loss = model.head().loss(model(batch, context), batch, model.head().weight(batch));
      tape.backward(loss);
      const auto far = [&](double found, const char* what) {
        const double wanted = file.at(text_of(rule) + "/" + what)[static_cast<size_t>(step)];
        EXPECT_NEAR(found, wanted, 1e-4 * wanted) << text_of(rule) << ' ' << what << ", step " << step;
        worst = std::max(worst, std::abs(found / wanted - 1));
      };
      far(static_cast<double>(*loss.value.data<float>()), "losses");
      far(gradient_norm(store), "norms");
      optimizer.step(1e-4);
    }
    std::cout << text_of(rule) << ": at most " << worst << " away, relative\n";
  }
}

}  // namespace
}  // namespace espalier
