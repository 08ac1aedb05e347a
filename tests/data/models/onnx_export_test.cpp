// SPDX-License-Identifier: Apache-2.0
// ONNX files: what they consist of, and that their graphs give the logits of the models.
#include "data/models/onnx_export.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "nn/integers.h"
#include "tests/data/models/checkpoint_file.h"
#include "tests/data/models/onnx_file.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

using Change = std::function<void(BertConfig&)>;

std::unique_ptr<Model> random_model(const Change& change = [](BertConfig&) {}) {
  BertConfig config = small_config();
  change(config);
  auto model = std::make_unique<Model>(config, Tokenizer(vocabulary(), {}));
  model->store.allocate(7, 0.5F);
  model->source = "random";
  return model;
}

// Gives the weights of these names integers, with `input` as the grid of their input.
void quantize_weights(Model& model, const std::string& part, int bits, const std::optional<QuantGrid>& input,
                      bool products = true) {
  for (Parameter* p : model.store.all()) {
    if (p->role != (products ? Role::weight : Role::embedding) || p->name.find(part) == std::string::npos ||
        p->name.starts_with("classifier"))
      continue;
    auto [q, grid] = quantize_rows(p->value, bits);
    set_integers(*p, std::make_shared<QuantizedWeight>(q, grid, bits, input, products));
  }
}

// Two sentences, the second one shorter and a pair.
const std::vector<std::vector<int32_t>> ids = {{2, 5, 6, 8, 7, 9, 3}, {2, 6, 3, 7, 3}},
                                        segments = {{0, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 1, 1}};

Tensor logits(const Model& model) {
  PackedBatch batch;
  batch.offsets = {0};
  for (size_t b = 0; b < ids.size(); ++b) {
    batch.ids.insert(batch.ids.end(), ids[b].begin(), ids[b].end());
    batch.segments.insert(batch.segments.end(), segments[b].begin(), segments[b].end());
    batch.offsets.push_back(static_cast<int32_t>(batch.ids.size()));
  }
  Context context;
  return (*model.bert)(batch, context).value;
}

OnnxTensor logits(const OnnxFile& file) {
  const int64_t length = std::ssize(ids[0]);
  OnnxTensor tokens{{2, length}, std::vector<double>(static_cast<size_t>(2 * length), 4.0)};  // padding is [MASK]
  OnnxTensor mask{tokens.dims, std::vector<double>(tokens.values.size())}, types = mask;
  for (size_t b = 0; b < 2; ++b)
    for (size_t t = 0; t < ids[b].size(); ++t) {
      const size_t at = b * ids[0].size() + t;
      tokens.values[at] = ids[b][t];
      mask.values[at] = 1;
      types.values[at] = segments[b][t];
    }
  return file.run({{"input_ids", tokens}, {"attention_mask", mask}, {"token_type_ids", types}});
}

class OnnxExport : public testing::Test {
 protected:
  OnnxFile exported(const Model& model, int64_t largest = largest_onnx_file) const {
    fs::remove_all(directory_);
    export_onnx(model, directory_, largest);
    return OnnxFile(directory_ / "onnx" / "model.onnx");
  }
  OnnxFile expect_same_logits(const Model& model, double tolerance = 1e-5) const {
    OnnxFile file = exported(model);
    const OnnxTensor found = logits(file);
    const Tensor expected = logits(model);
    EXPECT_EQ(found.dims, (std::vector<int64_t>{2, expected.cols()}));
    for (size_t i = 0; i < found.values.size(); ++i)
      EXPECT_NEAR(found.values[i], static_cast<double>(expected.span<float>()[i]), tolerance) << i;
    return file;
  }

  TemporaryFolder folder_;
  fs::path directory_ = folder_ / "model";
};

TEST_F(OnnxExport, AModelInF32) {
  const auto model = random_model();
  const OnnxFile file = expect_same_logits(*model);
  EXPECT_EQ(file.ir_version, 8);
  EXPECT_EQ(file.opset, 17);
  EXPECT_EQ(file.inputs, (std::vector<std::string>{"input_ids", "attention_mask", "token_type_ids"}));
  EXPECT_EQ(file.outputs, (std::vector<std::string>{"logits"}));
  EXPECT_EQ(file.count("MatMul"), 2 * (6 + 2) + 2);  // six linear layers each, scores and context; the head
  EXPECT_EQ(file.count("LayerNormalization"), 1 + 2 * 2);
  EXPECT_EQ(file.count("QuantizeLinear"), 0);
  EXPECT_EQ(file.constants.at("bert.pooler.dense.weight").dims, (std::vector<int64_t>{8, 8}));
  EXPECT_EQ(file.types.at("bert.embeddings.word_embeddings.weight"), 1);
  EXPECT_EQ(file.external, 0);
  const auto config = nlohmann::json::parse(read_bytes(directory_ / "config.json"));
  EXPECT_EQ(config["id2label"]["1"], "good");
  EXPECT_EQ(config["transformers.js_config"], (nlohmann::json{{"dtype", "fp32"}}));
  for (const char* const name : {"vocab.txt", "tokenizer.json", "tokenizer_config.json"})
    EXPECT_TRUE(fs::exists(directory_ / name)) << name;
}

TEST_F(OnnxExport, LayersOfAnyShapeAndHeadsOfAnySize) {
  expect_same_logits(*random_model([](BertConfig& c) {
    c.layer_heads = {2, 1};
    c.layer_intermediate = {5, 12};
  }));
  expect_same_logits(*random_model([](BertConfig& c) { c.num_attention_heads = 8; }));  // of one number
  expect_same_logits(*random_model([](BertConfig& c) { c.num_hidden_layers = 1; }));
}

TEST_F(OnnxExport, OtherTasks) {
  const OnnxFile one = expect_same_logits(*random_model([](BertConfig& c) {
    c.head = "regression";
    c.labels = {"stars"};
  }));
  EXPECT_EQ(one.constants.at("classifier.weight").dims, (std::vector<int64_t>{8, 1}));
  expect_same_logits(*random_model([](BertConfig& c) {
    c.head = "multi-label";
    c.labels = {"joy", "anger", "fear"};
  }));
}

TEST_F(OnnxExport, StaticInt8) {
  const auto model = random_model();
  quantize_weights(*model, "", 8, affine_grid(-3, 5, 8));
  const OnnxFile file = expect_same_logits(*model);
  EXPECT_EQ(file.count("QuantizeLinear"), 2 * 4 + 1 + 1);  // four inputs a layer, two in the last one's queries; pooler
  EXPECT_EQ(file.count("Clip"), 0);
  EXPECT_EQ(file.types.at("bert.encoder.layer.1.output.dense.weight"), 3);
  EXPECT_EQ(file.types.at("classifier.weight"), 1);
  EXPECT_EQ(file.constants.at("bert.pooler.dense.weight.scale").dims, (std::vector<int64_t>{8}));
}

TEST_F(OnnxExport, StaticInt8OnASymmetricGridWithFewBits) {
  const auto model = random_model();
  quantize_weights(*model, "", 4, symmetric_grid(2, 8));
  const OnnxFile file = expect_same_logits(*model);
  EXPECT_EQ(file.count("Clip"), file.count("QuantizeLinear"));
}

TEST_F(OnnxExport, DynamicInt8HasAGridForEachToken) {
  const auto model = random_model();
  quantize_weights(*model, "", 8, std::nullopt);
  const OnnxFile file = expect_same_logits(*model, 1e-4);
  EXPECT_EQ(file.count("ReduceMax"), file.count("QuantizeLinear"));
}

TEST_F(OnnxExport, Int8EmbeddingsAndSomeLayersInF32) {
  const auto model = random_model();
  quantize_weights(*model, "word_embeddings", 8, std::nullopt, false);
  quantize_weights(*model, "layer.1.", 8, affine_grid(-3, 5, 8));
  quantize_weights(*model, "layer.0.output", 8, std::nullopt);
  const OnnxFile file = expect_same_logits(*model, 1e-4);
  EXPECT_EQ(file.types.at("bert.embeddings.word_embeddings.weight"), 3);
  EXPECT_EQ(file.types.at("bert.encoder.layer.0.intermediate.dense.weight"), 1);
}

TEST_F(OnnxExport, ZerosGiveNoNaN) {
  const auto model = random_model();
  quantize_weights(*model, "", 8, std::nullopt);
  for (const char* const name : {"bert.embeddings.LayerNorm.weight", "bert.embeddings.LayerNorm.bias"})
    model->store.at(name).value.fill_zero();
  expect_same_logits(*model, 1e-4);
}

TEST_F(OnnxExport, AFileThatWouldBeTooLargeIsSplit) {
  const auto model = random_model([](BertConfig& c) {
    c.hidden_size = 64;
    c.intermediate_size = 80;
  });
  const OnnxFile whole = exported(*model);
  const auto size = static_cast<int64_t>(fs::file_size(directory_ / "onnx" / "model.onnx"));
  EXPECT_EQ(exported(*model, size).external, 0);
  const OnnxFile split = exported(*model, size - 1);
  EXPECT_GT(split.external, 10);
  EXPECT_EQ(split.constants.at("classifier.bias").values, whole.constants.at("classifier.bias").values);
  for (const auto& [name, tensor] : whole.constants) EXPECT_EQ(split.constants.at(name).values, tensor.values) << name;
  EXPECT_EQ(logits(split).values, logits(whole).values);
  EXPECT_LT(fs::file_size(directory_ / "onnx" / "model.onnx"), 40'000U);
  const auto config = nlohmann::json::parse(read_bytes(directory_ / "config.json"));
  EXPECT_EQ(config["transformers.js_config"]["use_external_data_format"], true);
}

TEST_F(OnnxExport, WhatAKilledRunLeftIsRemoved) {
  const fs::path part = folder_ / "model.part";
  fs::create_directories(part / "onnx");
  for (const char* const name :
       {"quantization.json", "model.safetensors", "onnx/model.onnx_data", "onnx/model.onnx.0123456789abcdef.part"})
    write_bytes(part / name, "left");
  exported(*random_model());
  EXPECT_FALSE(fs::exists(directory_ / "quantization.json") || fs::exists(directory_ / "model.safetensors"));
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_ / "onnx"), {}), 1);

  fs::create_directories(part / "onnx");
  write_bytes(part / "onnx" / "notes", "mine");
  expect_in(error_of<Error>([&] { exported(*random_model()); }), "model.part: holds notes, which no export wrote");
  EXPECT_EQ(read_bytes(part / "onnx" / "notes"), "mine");
}

TEST_F(OnnxExport, TheSameModelGivesTheSameBytes) {
  const auto model = random_model();
  exported(*model);
  const std::string first = read_bytes(directory_ / "onnx" / "model.onnx");
  exported(*model);
  EXPECT_EQ(read_bytes(directory_ / "onnx" / "model.onnx"), first);
}

// A head of somebody's own, which reads all tokens.
class AllTokens : public Head {
 public:
  std::vector<int32_t> rows(const PackedBatch&) const override { return {}; }
  Var logits(const Var& hidden, Context&) const override { return hidden; }
  int64_t width() const override { return 0; }
  Label read_label(std::string_view) const override { return {}; }
  Var loss(const Var& logits, const PackedBatch&, const LossWeight&) const override { return logits; }
  Tensor scores(const Tensor& logits, const PackedBatch&) const override { return logits; }
  Metrics metrics(const Tensor&) const override { return {}; }
  std::string metric() const override { return ""; }
  Answer answer(const Tensor&) const override { return {}; }
  const std::vector<std::string>& labels() const override { return none_; }
  std::string parts() const override { return "nothing"; }
  std::vector<Linear*> linears() override { return {}; }
  std::vector<Linear*> quantizable() override { return {}; }

 private:
  std::vector<std::string> none_;
};

TEST_F(OnnxExport, AHeadWithoutAFormIsRefusedByName) {
  const auto model = random_model([](BertConfig& c) { c.head = "regression"; });
  ParameterStore store;
  model->bert = std::make_unique<Bert>(
      store, model->config,
      [](ParameterStore&, const Encoder&) -> std::unique_ptr<Head> { return std::make_unique<AllTokens>(); });
  store.allocate(1);
  EXPECT_EQ(error_of<Error>([&] { export_onnx(*model, directory_); }),
            "random: the head 'regression' has no form in ONNX; expected one that reads the first token, such as "
            "classification");
  EXPECT_FALSE(fs::exists(directory_) || fs::exists(folder_ / "model.part"));
}

TEST_F(OnnxExport, AModelInTrainingIsRefused) {
  class Twice : public WeightTransform {
   public:
    Var apply(const Var& w, const Context&) override { return w; }
  };
  const auto model = random_model();
  model->store.at("bert.pooler.dense.weight").transforms.push_back(std::make_shared<Twice>());
  expect_in(error_of<Error>([&] { export_onnx(*model, directory_); }),
            "bert.pooler.dense.weight or its input is transformed, as in training");
  EXPECT_FALSE(fs::exists(directory_));
}

}  // namespace
}  // namespace espalier
