// SPDX-License-Identifier: Apache-2.0
// The engine gives the bits of the ops, which compute whenever somebody wants to see what lies inside.
#include "nn/engine/engine.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <random>
#include <thread>

#include "core/kernels/isa.h"
#include "core/parallel.h"
#include "nn/bert.h"
#include "nn/engine/weights_of.h"
#include "nn/integers.h"

namespace espalier {
namespace {

BertConfig small(int64_t hidden, int64_t heads, int64_t intermediate) {
  BertConfig config;
  config.vocab_size = 90;
  config.hidden_size = hidden;
  config.num_hidden_layers = 3;
  config.num_attention_heads = heads;
  config.intermediate_size = intermediate;
  config.max_position_embeddings = 200;
  config.labels = {"a", "b", "c"};
  return config;
}

QuantGrid input_grid(bool is_signed) { return is_signed ? symmetric_grid(3.0F, 8) : affine_grid(-1.5F, 2.5F, 8); }

void quantize(Parameter& p, const std::optional<QuantGrid>& input, int bits, bool products = true) {
  auto [q, grid] = quantize_rows(p.value, bits);
  const auto weight = std::make_shared<QuantizedWeight>(q, grid, bits, input, products);
  weight->drop_matrix();
  set_integers(p, weight);
}

struct Case {
  std::string name;
  DType compute = DType::f32;
  BertConfig config = small(120, 3, 328);
  std::function<void(Bert&)> change = [](Bert&) {};
};

// All linear layers of the encoder and the word embeddings.
std::function<void(Bert&)> all_int8(const std::optional<QuantGrid>& input, int bits = 8) {
  return [input, bits](Bert& model) {
    for (EncoderLayer& layer : model.layers())
      for (Linear* linear : layer.linears()) quantize(linear->weight, input, bits);
    quantize(model.encoder().word_embeddings(), std::nullopt, 8, false);
  };
}

std::vector<Case> cases() {
  const auto mixed = [](Bert& model) {  // the first product of each pair in int8, the other not
    for (EncoderLayer& layer : model.layers())
      for (Linear* linear : {&layer.query, &layer.key, &layer.value, &layer.intermediate})
        quantize(linear->weight, input_grid(false), 8);
  };
  const auto other_half = [](Bert& model) {
    for (EncoderLayer& layer : model.layers())
      for (Linear* linear : {&layer.attention_output, &layer.output}) quantize(linear->weight, input_grid(true), 8);
  };
  const auto zeros = [](Bert& model) {  // whole blocks, which int8 products leave out
    for (EncoderLayer& layer : model.layers())
      for (Linear* linear : layer.linears()) {
        const Tensor& w = linear->weight.value;
        for (int64_t i = 0; i < w.size(); ++i)
          if (i % w.cols() / 4 % 3 != 0) w.data<float>()[i] = 0;
        quantize(linear->weight, input_grid(false), 8);
      }
  };
  return {{"f32"},
          {"bf16", DType::bf16},
          {"f32 with odd widths", DType::f32, small(75, 5, 129)},
          {"bf16 with odd widths", DType::bf16, small(75, 5, 129)},
          {"static int8", DType::f32, small(120, 3, 328), all_int8(input_grid(false))},
          {"static int8 with odd widths", DType::f32, small(75, 5, 129), all_int8(input_grid(false))},
          {"symmetric int8", DType::f32, small(120, 3, 328), all_int8(input_grid(true))},
          {"static int8 of 4 bits", DType::bf16, small(120, 3, 328), all_int8(input_grid(false), 4)},
          {"dynamic int8", DType::f32, small(120, 3, 328), all_int8(std::nullopt)},
          {"dynamic int8 beside bf16", DType::bf16, small(75, 5, 129), all_int8(std::nullopt)},
          {"some int8, some f32", DType::f32, small(120, 3, 328), mixed},
          {"some int8, some bf16", DType::bf16, small(75, 5, 129), mixed},
          {"others int8, some bf16", DType::bf16, small(75, 5, 129), other_half},
          {"int8 with zero blocks", DType::f32, small(120, 3, 328), zeros}};
}

PackedBatch batch_of(const std::vector<int32_t>& lengths) {
  std::mt19937 random(11);
  PackedBatch batch;
  batch.offsets = {0};
  for (const int32_t length : lengths) {
    for (int32_t i = 0; i < length; ++i) {
      batch.ids.push_back(static_cast<int32_t>(random() % 90));
      batch.segments.push_back(i > length / 2 ? 1 : 0);
    }
    batch.offsets.push_back(static_cast<int32_t>(batch.ids.size()));
  }
  return batch;
}

class EngineTest : public testing::TestWithParam<Case> {
 protected:
  EngineTest() : model_(store_, GetParam().config) {
    store_.lay_out();
    for (Parameter* p : store_.all()) store_.initialise(*p, 1, 0.2F);
    GetParam().change(model_);
  }

  Tensor logits(const PackedBatch& batch, bool by_ops = false) const {
    Context context;
    Activations inside;
    return model_(batch, context, by_ops ? &inside : nullptr).value;
  }

  ParameterStore store_;
  Bert model_;
};

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

TEST_P(EngineTest, has_the_bits_of_the_ops) {
  const std::vector<PackedBatch> batches = {batch_of({7}), batch_of({1, 2, 3}), batch_of({200}),
                                            batch_of({40, 39, 38, 30, 29, 28, 12, 9, 8, 5, 3, 2, 64, 120})};
  for (const std::string& isa : kernels::available_isas()) {
    kernels::set_isa(isa);
    model_.set_compute(GetParam().compute, Use::inference);
    ASSERT_TRUE(weights_of(model_.encoder()));
    for (size_t i = 0; i < batches.size(); ++i) {
      const Tensor expected = logits(batches[i], true);
      for (const int count : {1, 2, 3}) {
        set_threads(count);
        EXPECT_TRUE(same_bits(logits(batches[i]), expected)) << isa << ", batch " << i << ", " << count << " threads";
      }
    }
    set_threads(0);
  }
  kernels::set_isa("");
}

// What training sees computes other sums in another order, and softmax, layer norm and GELU alike.
TEST_P(EngineTest, agrees_with_what_training_sees) {
  const PackedBatch batch = batch_of({40, 39, 12, 5, 64, 1});
  model_.set_compute(GetParam().compute, Use::training);
  const Tensor expected = logits(batch);
  model_.set_compute(GetParam().compute, Use::inference);
  const Tensor found = logits(batch);
  const bool coarse = GetParam().compute == DType::bf16;  // a sum's last bit may decide how a number is rounded
  for (int64_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found.data<float>()[i], expected.data<float>()[i], coarse ? 2e-2 : 1e-5) << i;
}

TEST_P(EngineTest, answers_several_threads_at_once) {
  model_.set_compute(GetParam().compute, Use::inference);
  const PackedBatch one = batch_of({31}), many = batch_of({9, 40, 3, 17});
  const Tensor of_one = logits(one), of_many = logits(many);
  std::vector<std::thread> callers(4);
  std::atomic<int> wrong = 0;
  for (size_t c = 0; c < callers.size(); ++c)
    callers[c] = std::thread([&, c] {
      for (int i = 0; i < 20; ++i) {
        const bool lone = (i + c) % 2 == 0;
        if (!same_bits(logits(lone ? one : many), lone ? of_one : of_many)) ++wrong;
      }
    });
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(wrong, 0);
}

INSTANTIATE_TEST_SUITE_P(Forms, EngineTest, testing::ValuesIn(cases()), [](const auto& test) {
  std::string name = test.param.name;
  std::ranges::replace_if(
      name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
});

TEST(Engine, leaves_transformed_weights_to_the_ops) {
  ParameterStore store;
  const BertConfig config = small(24, 2, 40);
  Bert model(store, config);
  store.allocate(1);
  model.set_compute(DType::f32, Use::training);
  EXPECT_FALSE(weights_of(model.encoder()));  // nothing is packed for inference
  model.set_compute(DType::f32, Use::inference);
  EXPECT_TRUE(weights_of(model.encoder()));
  struct Twice : WeightTransform {
    Var apply(const Var& w, const Context& /*context*/) override { return w; }
  };
  model.layers()[1].output.input_transforms.push_back(std::make_shared<Twice>());
  EXPECT_FALSE(weights_of(model.encoder()));
}

TEST(Engine, names_what_is_wrong_in_a_batch) {
  ParameterStore store;
  const BertConfig config = small(24, 2, 40);
  Bert model(store, config);
  store.allocate(1);
  model.set_compute(DType::f32, Use::inference);
  const auto error = [&](const PackedBatch& batch) -> std::string {
    Context context;
    try {
      model(batch, context);
    } catch (const Error& e) { return e.what(); }
    return "";
  };
  PackedBatch batch = batch_of({5, 4});
  batch.ids[6] = 90;
  EXPECT_EQ(error(batch), "embedding: id 90 of token 6 is outside 0 … 89");
  batch = batch_of({5, 4});
  batch.segments[2] = -1;
  EXPECT_EQ(error(batch), "embedding: segment -1 of token 2 is outside 0 … 1");
  batch = batch_of({201});
  EXPECT_EQ(error(batch), "embedding: sentence 0 has 201 tokens, the position table has 200 rows");
}

}  // namespace
}  // namespace espalier
