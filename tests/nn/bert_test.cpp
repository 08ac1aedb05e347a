// SPDX-License-Identifier: Apache-2.0
#include "nn/bert.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/ops.h"
#include "core/parallel.h"
#include "tests/nn/golden_values.h"

namespace espalier {
namespace {

// Sentences of these lengths, with the ids of encoder.py.
PackedBatch batch_of(const std::vector<int32_t>& lengths) {
  PackedBatch batch;
  batch.offsets = {0};
  for (const int32_t length : lengths) batch.offsets.push_back(batch.offsets.back() + length);
  for (int32_t i = 0; i < batch.offsets.back(); ++i) {
    batch.ids.push_back((7 * i * i + 3 * i + 1) % 40);
    batch.segments.push_back(i % 5 == 4 ? 1 : 0);
  }
  return batch;
}

PackedBatch sentence_of(const PackedBatch& batch, size_t b) {
  PackedBatch one;
  const auto first = batch.offsets[b], end = batch.offsets[b + 1];
  one.ids.assign(batch.ids.begin() + first, batch.ids.begin() + end);
  one.segments.assign(batch.segments.begin() + first, batch.segments.begin() + end);
  one.offsets = {0, end - first};
  return one;
}

class BertTest : public testing::TestWithParam<DType> {};

TEST_P(BertTest, loss_and_gradients_agree_with_transformers) {
  const double tolerance = GetParam() == DType::f64 ? 1e-11 : 2e-6;
  const golden::File file("encoder.txt");
  ParameterStore store;
  const Bert model(store, golden_config());
  fill(store, GetParam());
  Tape tape;
  Context context{.tape = &tape, .training = true};
  const Var logits = model(batch_of({3, 7, 1}), context);
  const Var loss = ops::cross_entropy(logits, std::vector<int32_t>{2, 0, 1}, 3);
  tape.backward(loss);
  file.expect("bert/logits", logits.value, tolerance);
  file.expect("bert/loss", loss.value, tolerance);
  expect_gradients(file, "bert/", store, tolerance);
}

INSTANTIATE_TEST_SUITE_P(Types, BertTest, testing::Values(DType::f32, DType::f64),
                         [](const auto& type) { return name_of(type.param); });

TEST(Bert, has_the_parameters_of_hugging_face) {
  const golden::File file("encoder.txt");
  ParameterStore store;
  const Bert model(store, golden_config());
  store.allocate(1);
  for (const Parameter* p : store.all()) EXPECT_NO_THROW(file.at("bert/" + p->name)) << p->name;
  EXPECT_EQ(store.all().size(), 5 + 2 * 16 + 2 + 2);
  EXPECT_EQ(store.at("bert.embeddings.word_embeddings.weight").role, Role::embedding);
  EXPECT_EQ(store.at("classifier.weight").shape, (Shape{3, 32}));
}

TEST(Bert, a_sentence_does_not_depend_on_its_batch) {
  BertConfig config = golden_config();
  config.hidden_dropout_prob = 0.1F;  // counts in training only
  ParameterStore store;
  const Bert model(store, config);
  fill(store, DType::f32);
  Context context;
  const PackedBatch batch = batch_of({3, 7, 1, 16, 2});
  const Tensor together = model(batch, context).value, hidden = model.encoder()(batch, context).value;
  for (size_t b = 0; b < 5; ++b) {
    const PackedBatch one = sentence_of(batch, b);
    const Tensor alone = model(one, context).value, states = model.encoder()(one, context).value;
    for (int64_t c = 0; c < 3; ++c)
      EXPECT_NEAR(alone.data<float>()[c], together.data<float>()[static_cast<int64_t>(b) * 3 + c], 1e-6F) << b;
    for (int64_t i = 0; i < states.size(); ++i)
      EXPECT_NEAR(states.data<float>()[i], hidden.data<float>()[batch.offsets[b] * 32 + i], 4e-6F) << b;
  }
}

// Loss and gradients of one training step with dropout.
std::vector<float> train_step(ParameterStore& store, const Bert& model, uint64_t seed, uint64_t step) {
  store.make_gradients();
  store.clear_gradients();
  Tape tape;
  Context context{.tape = &tape, .training = true, .seed = seed, .step = step};
  std::vector<int32_t> lengths(40), labels(40);
  for (int32_t i = 0; i < 40; ++i) lengths[i] = 1 + i * 5 % 16, labels[i] = i % 3;
  const Var loss = ops::cross_entropy(model(batch_of(lengths), context), labels, 40);
  tape.backward(loss);
  std::vector<float> result = {*loss.value.data<float>()};
  for (const Parameter* p : store.all())
    for (int64_t i = 0; i < p->value.size(); ++i)
      if (!p->grad.by_rows || p->grad.rows->contains(i / p->value.cols()))
        result.push_back(p->grad.grad.data<float>()[i]);
  return result;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

TEST(Bert, a_training_step_follows_from_seed_and_step_alone) {
  BertConfig config = golden_config();
  config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.1F;
  ParameterStore store;
  const Bert model(store, config);
  fill(store, DType::f32);
  const std::vector<float> first = train_step(store, model, 1, 2);
  for (const int threads : {1, 2, 3}) {
    set_threads(threads);
    EXPECT_TRUE(same_bits(train_step(store, model, 1, 2), first)) << threads << " threads";
  }
  set_threads(0);
  EXPECT_NE(train_step(store, model, 1, 3)[0], first[0]);
  EXPECT_NE(train_step(store, model, 2, 2)[0], first[0]);
  EXPECT_TRUE(std::all_of(first.begin(), first.end(), [](float v) { return std::isfinite(v); }));
}

TEST(Bert, checkpointing_needs_nothing_of_the_batch_at_backward) {
  BertConfig config = golden_config();
  config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.1F;
  ParameterStore store;
  Bert model(store, config);
  fill(store, DType::f32);
  store.make_gradients();
  const std::vector<int32_t> labels = {2, 0, 1};
  std::vector<Tensor> gradients;
  for (const bool on : {false, true}) {
    model.set_gradient_checkpointing(on);
    store.clear_gradients();
    Tape tape;
    Context context{.tape = &tape, .training = true, .seed = 3};
    const Var logits = model(batch_of({3, 7, 1}), context);
    tape.backward(ops::cross_entropy(logits, labels, 3));
    gradients.push_back(store.gradients().clone());
  }
  EXPECT_EQ(std::memcmp(gradients[0].raw(), gradients[1].raw(), gradients[0].bytes()), 0);
}

TEST(Bert, evaluation_drops_nothing_and_keeps_no_buffers) {
  BertConfig config = golden_config(), dry = golden_config();
  config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.5F;
  ParameterStore store, dry_store;
  const Bert model(store, config), reference(dry_store, dry);
  fill(store, DType::f32);
  fill(dry_store, DType::f32);
  Context context, other;
  set_threads(1);  // a thread that helps for the first time would take its scratch memory in between
  (void)model(batch_of({5, 9}), context);
  const size_t before = storage_stats().live;
  {
    const Tensor y = model(batch_of({5, 9}), context).value, expected = reference(batch_of({5, 9}), other).value;
    EXPECT_EQ(std::memcmp(y.raw(), expected.raw(), y.bytes()), 0);
  }
  EXPECT_EQ(storage_stats().live, before);
  set_threads(0);
}

TEST(Bert, names_the_batch_that_does_not_fit) {
  ParameterStore store;
  const Bert model(store, golden_config());
  store.allocate(1);
  Context context;
  const auto error = [&](const PackedBatch& batch) -> std::string {
    try {
      (void)model(batch, context);
    } catch (const Error& e) { return e.what(); }
    return "";
  };
  PackedBatch batch = batch_of({3, 2});
  batch.ids[4] = 40;
  EXPECT_EQ(error(batch), "embedding: id 40 of token 4 is outside 0 … 39");
  batch.ids[4] = -1;
  EXPECT_EQ(error(batch), "embedding: id -1 of token 4 is outside 0 … 39");
  batch = batch_of({3, 2});
  batch.segments[0] = 2;
  EXPECT_EQ(error(batch), "embedding: segment 2 of token 0 is outside 0 … 1");
  EXPECT_EQ(error(batch_of({3, 17})), "embedding: sentence 1 has 17 tokens, the position table has 16 rows");
  batch = batch_of({3, 2});
  batch.offsets.back() = 4;
  EXPECT_EQ(error(batch), "embedding: the offsets do not span the 5 tokens");
  EXPECT_EQ(error(batch_of({})), "bert: a batch without sentences");
}

TEST(BertConfig, names_the_field_that_is_out_of_range) {
  const auto error = [](const std::function<void(BertConfig&)>& change) -> std::string {
    BertConfig config;
    change(config);
    try {
      config.check("config.json");
    } catch (const Error& e) { return e.what(); }
    return "";
  };
  EXPECT_EQ(error([](BertConfig&) {}), "");
  EXPECT_EQ(error([](BertConfig& c) { c.hidden_size = 770; }),
            "config.json: hidden_size 770 is not a multiple of num_attention_heads 12");
  EXPECT_EQ(error([](BertConfig& c) { c.vocab_size = 0; }), "config.json: vocab_size is 0, expected 1 … 10000000");
  EXPECT_NE(error([](BertConfig& c) { c.num_attention_heads = 0; }).find("num_attention_heads is 0"),
            std::string::npos);
  EXPECT_NE(error([](BertConfig& c) { c.hidden_dropout_prob = 1; }).find("hidden_dropout_prob"), std::string::npos);
  EXPECT_NE(error([](BertConfig& c) { c.hidden_dropout_prob = NAN; }).find("hidden_dropout_prob"), std::string::npos);
  EXPECT_NE(error([](BertConfig& c) { c.classifier_dropout = NAN; }).find("classifier_dropout"), std::string::npos);
  EXPECT_NE(error([](BertConfig& c) { c.layer_norm_eps = 0; }).find("layer_norm_eps"), std::string::npos);
  EXPECT_NE(error([](BertConfig& c) { c.labels.clear(); }).find("labels"), std::string::npos);
  ParameterStore store;
  BertConfig config;
  config.num_attention_heads = 7;
  EXPECT_THROW(Bert(store, config), Error);
}

TEST(Bert, inference_packs_its_weights_and_training_does_not) {
  for (const DType compute : {DType::f32, DType::bf16}) {
    ParameterStore store;
    Bert bert(store, BertConfig::of_size("tiny"));
    store.allocate(1, 0.1F);
    const auto packed = [&] {
      int64_t count = 0;
      for (const EncoderLayer& layer : bert.layers())
        for (const Linear* linear : layer.linears()) count += as<InferenceWeight>(linear->form()) != nullptr ? 1 : 0;
      return count;
    };
    for (const char* name :
         {"bert.encoder.layer.0.intermediate.dense.weight", "bert.encoder.layer.1.attention.self.value.weight"}) {
      const Tensor w = store.at(name).value;
      std::fill_n(w.data<float>(), w.size() / 4 * 3, 0.0F);
    }
    const PackedBatch batch = batch_of({3, 7, 1});
    Context context;
    bert.set_compute(compute);
    EXPECT_EQ(packed(), 0);
    const Tensor trained = bert(batch, context).value;
    bert.set_compute(compute, Use::inference);
    EXPECT_EQ(packed(), 12);
    const Tensor inferred = bert(batch, context).value;
    for (int64_t i = 0; i < trained.size(); ++i) EXPECT_NEAR(inferred.data<float>()[i], trained.data<float>()[i], 1e-5);
    bert.set_compute(compute);
    EXPECT_EQ(packed(), 0);
  }
}

TEST(BertConfig, knows_the_published_sizes) {
  ParameterStore store;
  const BertConfig tiny = BertConfig::of_size("tiny"), base = BertConfig::of_size("base");
  const Bert model(store, tiny);
  EXPECT_EQ(store.count(), 4'386'178);  // google/bert_uncased_L-2_H-128_A-2 with two classes
  EXPECT_EQ(tiny.head_size(), 64);
  EXPECT_EQ(base.num_hidden_layers, 12);
  EXPECT_EQ(base.hidden_size, 768);
  EXPECT_EQ(base.intermediate_size, 3072);
  try {
    BertConfig::of_size("huge");
    FAIL() << "nothing was thrown";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "random:huge: there is no such size, choose tiny, mini, small, medium, base or large");
  }
}

}  // namespace
}  // namespace espalier
