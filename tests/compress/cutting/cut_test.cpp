// SPDX-License-Identifier: Apache-2.0
// Cutting moves what belongs to a tensor with it; int8 models stay int8 and answer the same, whatever is cut.
#include "compress/cutting/cut.h"

#include <gtest/gtest.h>

#include "compress/cutting/layers.h"
#include "compress/cutting/shrink.h"
#include "compress/cutting/vocabulary.h"
#include "compress/pruning/pruner.h"
#include "compress/quantization/quantizer.h"
#include "compress/report.h"
#include "core/check.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

const std::string table = "bert.embeddings.word_embeddings.weight";
const std::vector<int32_t> sentence = {2, 9, 8, 7, 30, 11, 3};

std::vector<float> logits(const Model& model, const std::vector<int32_t>& ids = sentence) {
  PackedBatch batch;
  batch.ids = ids;
  batch.segments.assign(ids.size(), 0);
  batch.offsets = {0, static_cast<int32_t>(ids.size())};
  Context context;
  const auto values = (*model.bert)(batch, context).value;
  return {values.span<float>().begin(), values.span<float>().end()};
}

// An int8 model, half of whose neurons and heads are zero.
std::unique_ptr<Model> int8_model(const QuantizeOptions& options) {
  auto model = open_model("random:mini", {.seed = 4});
  for (const std::string structure : {"neuron", "head"}) {
    Pruner pruner({.amount = 0.5, .structure = structure, .scope = RankingScope::global});
    pruner.attach(*model->bert, model->store);
    pruner.before_forward(0);
  }
  bake_masks(model->store);
  Quantizer quantizer(options);
  quantizer.attach(*model->bert, model->store);
  quantizer.before_forward(0);
  Tape tape;
  Context context{.tape = &tape};
  PackedBatch batch;
  batch.ids = sentence;
  batch.segments.assign(sentence.size(), 0);
  batch.offsets = {0, static_cast<int32_t>(sentence.size())};
  (*model->bert)(batch, context);
  quantizer.convert();
  return model;
}

void expect_int8(const Model& model) {
  for (const EncoderLayer& layer : model.bert->layers())
    for (const Linear* linear : layer.linears()) {
      const auto integers = as<QuantizedWeight>(linear->form());
      ASSERT_NE(integers, nullptr) << linear->weight.name;
      ASSERT_EQ(integers->q().shape(), linear->weight.shape);
      const Tensor read = dequantize(integers->q(), integers->grid());
      EXPECT_TRUE(std::ranges::equal(read.span<float>(), linear->weight.value.span<float>())) << linear->weight.name;
    }
}

TEST(Cut, Int8ModelsStayInt8AndAnswerTheSame) {
  for (const QuantizeOptions& options : {QuantizeOptions{.mode = InputRanges::dynamic},
                                         QuantizeOptions{.observer = "minmax", .bits = 6, .embedding_bits = 4}}) {
    const auto model = int8_model(options);
    const auto small = shrink(*model);
    EXPECT_LT(sum_of(report_of(*small, 8)).flop, 0.7 * sum_of(report_of(*model, 8)).flop);
    expect_int8(*small);
    EXPECT_EQ(logits(*small), logits(*model)) << "integer sums of zeros are exact";

    std::vector<int64_t> counts(static_cast<size_t>(small->tokenizer.size()));
    for (const int32_t id : sentence) counts[static_cast<size_t>(id)] = 1;
    const auto words = keep_tokens(*small, counts);
    ASSERT_LT(words->tokenizer.size(), small->tokenizer.size());
    std::vector<int32_t> ids;
    for (const int32_t id : sentence) {
      const auto& left = words->tokenizer.vocabulary();
      ids.push_back(static_cast<int32_t>(std::ranges::find(left, small->tokenizer.token(id)) - left.begin()));
    }
    EXPECT_EQ(words->store.at(table).integers() != nullptr, options.embedding_bits == 4);
    EXPECT_EQ(logits(*words, ids), logits(*small));

    const std::vector<int64_t> layers = {3, 1};
    const auto shallow = keep_layers(*words, layers);
    expect_int8(*shallow);
    const TemporaryFolder folder;
    save_checkpoint(folder / "m.h5", shallow->store, shallow->contents());
    const auto again = open_model((folder / "m.h5").string());
    expect_int8(*again);
    EXPECT_EQ(logits(*again, ids), logits(*shallow, ids));
  }
}

TEST(Cut, PiecesOfTheWrongSizeAreErrors) {
  const auto model = open_model("random:tiny");
  BertConfig config = model->config;
  const auto error = [&](const CutParts& pieces) {
    return error_of<Error>([&] { cut(*model, config, model->tokenizer, pieces); });
  };
  const std::string bias = "classifier.bias";
  expect_in(error({{bias, {.from = bias, .rows = Indices{0}}}}), "1 rows and 1 columns of classifier.bias[2]");
  expect_in(error({{bias, {.from = "classifier.weight"}}}), "do not make classifier.bias[2]");
  expect_in(error({{bias, {.from = "nowhere"}}}), "nowhere");
  config.intermediate_size = 7;
  expect_in(error({}), "do not make bert.encoder.layer.0.intermediate.dense.bias[7]");
  EXPECT_EQ(logits(*cut(*model, model->config, model->tokenizer, {})), logits(*model));
}

}  // namespace
}  // namespace espalier
