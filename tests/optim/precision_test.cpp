// SPDX-License-Identifier: Apache-2.0
// Mixed precision and gradient checkpointing of the whole model: close to f32, equal to the plain backward pass,
// independent of threads.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "core/parallel.h"
#include "nn/bert.h"
#include "optim/optimizer.h"

namespace espalier {
namespace {

BertConfig small_config() {
  BertConfig c;
  c.vocab_size = 50;
  c.hidden_size = 64;
  c.num_hidden_layers = 3;
  c.num_attention_heads = 4;
  c.intermediate_size = 96;
  c.max_position_embeddings = 40;
  return c;
}

PackedBatch batch() {
  PackedBatch b;
  b.offsets = {0};
  for (const int length : {5, 1, 17, 33, 2}) {
    for (int i = 0; i < length; ++i) b.ids.push_back((7 * i + length) % 50);
    b.offsets.push_back(b.offsets.back() + length);
    b.labels.push_back(length % 2);
  }
  b.segments.resize(b.ids.size());
  return b;
}

struct Result {
  Tensor logits, gradients, values;
};

// Steps of training with dropout; logits and gradients are those of the last.
Result train(DType compute, bool checkpointing, int thread_count, uint64_t steps = 2) {
  set_threads(thread_count);
  ParameterStore store;
  Bert bert(store, small_config());
  store.allocate(5, 0.05F);
  Optimizer optimizer(store, {});
  bert.set_compute(compute);
  bert.set_gradient_checkpointing(checkpointing);
  const PackedBatch b = batch();
  Result result;
  for (uint64_t step = 0; step < steps; ++step) {
    Tape tape;
    Context context{.tape = &tape, .training = true, .seed = 1, .step = step};
    const Var logits = bert(b, context);
    tape.backward(ops::cross_entropy(logits, b.labels, 5));
    result.logits = logits.value;
    result.gradients = store.gradients().clone();
    optimizer.step(1e-3);
  }
  store.settle();
  result.values = store.values();
  set_threads(0);
  return result;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.bytes() == b.bytes() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

double relative_distance(const Tensor& a, const Tensor& b) {
  double difference = 0, size = 0;
  for (int64_t i = 0; i < a.size(); ++i) {
    difference += std::pow(static_cast<double>(a.data<float>()[i]) - b.data<float>()[i], 2);
    size += std::pow(static_cast<double>(b.data<float>()[i]), 2);
  }
  return std::sqrt(difference / size);
}

TEST(Precision, bf16_is_close_to_f32_but_not_equal) {
  // One step: AdamW's first update is nearly the gradient's sign, which magnifies what is near zero.
  const Result f32 = train(DType::f32, false, 0, 1), bf16 = train(DType::bf16, false, 0, 1);
  EXPECT_LT(relative_distance(bf16.logits, f32.logits), 2e-2);
  EXPECT_LT(relative_distance(bf16.gradients, f32.gradients), 3e-2);
  EXPECT_FALSE(same_bits(bf16.logits, f32.logits));
}

TEST(Precision, packed_weights_follow_the_optimizer) {
  ParameterStore store;
  Bert bert(store, small_config());
  store.allocate(5, 0.05F);
  Optimizer optimizer(store, {});
  bert.set_compute(DType::bf16);
  const PackedBatch b = batch();
  for (uint64_t step = 0; step < 3; ++step) {
    Tape tape;
    Context context{.tape = &tape, .training = true, .seed = 1, .step = step};
    tape.backward(ops::cross_entropy(bert(b, context), b.labels, 5));
    optimizer.step(1e-2);
  }
  Context context;
  const Tensor followed = bert(b, context).value;
  bert.set_compute(DType::bf16);  // packs anew
  EXPECT_TRUE(same_bits(bert(b, context).value, followed));
}

TEST(Precision, threads_do_not_matter_in_bf16) {
  const Result one = train(DType::bf16, false, 1), three = train(DType::bf16, false, 3);
  EXPECT_TRUE(same_bits(one.logits, three.logits));
  EXPECT_TRUE(same_bits(one.values, three.values));
}

TEST(Checkpointing, gives_the_bits_of_the_plain_backward_pass) {
  for (const DType compute : {DType::f32, DType::bf16}) {
    const Result plain = train(compute, false, 0), checkpointed = train(compute, true, 0);
    EXPECT_TRUE(same_bits(plain.logits, checkpointed.logits));
    EXPECT_TRUE(same_bits(plain.values, checkpointed.values));
  }
}

TEST(Checkpointing, keeps_less_alive) {
  const auto kept = [](bool checkpointing) {
    ParameterStore store;
    Bert bert(store, small_config());
    store.allocate(5);
    store.make_gradients();
    bert.set_gradient_checkpointing(checkpointing);
    const PackedBatch b = batch();
    set_threads(1);  // one thread's scratch memory, whoever runs
    const size_t before = storage_stats().live;
    Tape tape;
    Context context{.tape = &tape};
    const Var logits = bert(b, context);
    set_threads(0);
    return storage_stats().live - before;
  };
  EXPECT_LT(kept(true), kept(false) / 3);
}

TEST(Precision, other_types_are_refused) {
  ParameterStore store;
  Bert bert(store, small_config());
  store.allocate(5);
  EXPECT_THROW(bert.set_compute(DType::f64), Error);
}

}  // namespace
}  // namespace espalier
