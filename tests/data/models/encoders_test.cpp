// SPDX-License-Identifier: Apache-2.0
// The encoders beside plain BERT: what transformers computes with the same weights, in evaluation and in training, and
// back to its own layout. The models are those of tests/golden/encoders.py.
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "data/models/checkpoint.h"
#include "data/models/hf_export.h"
#include "data/models/model_source.h"
#include "data/models/safetensors.h"
#include "optim/optimizer.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

class EncoderFiles : public testing::TestWithParam<const char*> {
 protected:
  EncoderFiles()
      : directory_(fs::path(ESPALIER_TESTS_DIR) / "golden" / "encoders" / GetParam()),
        expected_(Json::parse(read_bytes(directory_ / "expected.json"))),
        hf_(read_config(directory_)),
        bert_(store_, hf_.model),
        report_(HfWeights(directory_, hf_.model.architecture, hf_.class_name).load(store_, 1, 0.02F)) {}

  static void append(PackedBatch& batch, const Json& ids, const Json& segments) {
    if (batch.offsets.empty()) batch.offsets = {0};
    for (const auto& id : ids) batch.ids.push_back(id.get<int32_t>());
    for (const auto& segment : segments) batch.segments.push_back(segment.get<int32_t>());
    batch.offsets.push_back(static_cast<int32_t>(batch.ids.size()));
  }
  // All rows of expected.json.
  PackedBatch rows() const {
    PackedBatch batch;
    for (const Json& row : expected_["rows"]) append(batch, row["ids"], row["segments"]);
    return batch;
  }
  void expect_logits(double tolerance) {
    Context context;
    const Tensor logits = bert_(rows(), context).value;
    for (size_t b = 0; b < expected_["rows"].size(); ++b)
      for (size_t c = 0; c < 3; ++c)
        EXPECT_NEAR(logits.data<float>()[3 * b + c], expected_["rows"][b]["logits"][c].get<double>(), tolerance) << b;
  }

  fs::path directory_;
  Json expected_;
  HfConfig hf_;
  ParameterStore store_;
  Bert bert_;
  LoadReport report_;
};

TEST_P(EncoderFiles, AnswerAsTransformers) {
  EXPECT_EQ(report_.loaded, std::ssize(store_.all()));
  EXPECT_TRUE(report_.unexpected.empty() && report_.initialised.empty() && report_.ignored.empty()) << report_.text();
  EXPECT_TRUE(hf_.unknown.empty()) << hf_.unknown.front();
  expect_logits(1e-5);
  bert_.set_compute(DType::f32, Use::inference);
  expect_logits(1e-5);
}

TEST_P(EncoderFiles, TheEngineHasTheBitsOfTheOps) {
  for (const DType compute : {DType::f32, DType::bf16}) {
    bert_.set_compute(compute, Use::inference);
    Context context;
    Activations inside;
    const Tensor by_ops = bert_(rows(), context, &inside).value, by_engine = bert_(rows(), context).value;
    EXPECT_EQ(std::memcmp(by_ops.raw(), by_engine.raw(), by_ops.bytes()), 0) << name_of(compute);
  }
}

TEST_P(EncoderFiles, LearnAsTransformers) {
  Optimizer optimizer(store_, {.weight_decay = 0.01});
  bert_.set_dropout(0);
  for (int32_t step = 0; step < 20; ++step) {
    const Json& window = expected_["training"][static_cast<size_t>(step % 3)];
    PackedBatch batch;
    for (size_t i = 0; i < window["ids"].size(); ++i) append(batch, window["ids"][i], window["segments"][i]);
    batch.labels = {0, 2, 1, step % 3};
    Tape tape;
    Context context{.tape = &tape, .training = true};
    const Var loss = bert_.head().loss(bert_(batch, context), batch, 4);
    const double expected = expected_["losses"][static_cast<size_t>(step)].get<double>();
    EXPECT_NEAR(loss.value.data<float>()[0], expected, 1e-4 * expected) << step;
    tape.backward(loss);
    optimizer.step(3e-3);
  }
}

TEST_P(EncoderFiles, GoBackToTheirOwnLayoutBitByBit) {
  const TemporaryFolder folder;
  const auto model = open_model(directory_.string());
  save_checkpoint(folder / "model.h5", model->store, model->contents());
  export_hf(*open_model((folder / "model.h5").string()), folder / "back");
  const Safetensors before(directory_ / "model.safetensors"), after(folder / "back" / "model.safetensors");
  EXPECT_EQ(before.entries().size(), after.entries().size());
  for (const auto& [name, entry] : before.entries()) {
    ASSERT_TRUE(after.entries().contains(name)) << name;
    const Tensor a = before.read(name), b = after.read(name);
    EXPECT_TRUE(a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0) << name;
  }
  const Json own = Json::parse(read_bytes(directory_ / "config.json")),
             back = Json::parse(read_bytes(folder / "back" / "config.json"));
  for (const auto& [field, value] : back.items())
    if (own.contains(field)) { EXPECT_EQ(value, own[field]) << field; }
  EXPECT_EQ(back["architectures"], own["architectures"]);
  const auto again = open_model((folder / "back").string());
  EXPECT_EQ(again->report.text(), open_model(directory_.string())->report.text());
}

INSTANTIATE_TEST_SUITE_P(Golden, EncoderFiles,
                         testing::Values("distilbert", "distilbert_relu", "roberta", "electra", "electra_silu",
                                         "bert_gelu_new"),
                         [](const auto& test) { return std::string(test.param); });

class OtherClasses : public testing::Test {
 protected:
  // What is said when a directory of the golden model `name`, after a change of its files, is opened to answer.
  std::string error(
      const std::string& name, const Json& change,
      const std::function<std::string(const std::string&)>& rename = [](const std::string& n) { return n; }) {
    const fs::path from = fs::path(ESPALIER_TESTS_DIR) / "golden" / "encoders" / name;
    fs::remove_all(folder_ / "model");
    fs::copy(from, folder_ / "model");
    Json config = Json::parse(read_bytes(from / "config.json"));
    config.merge_patch(change);
    write_bytes(folder_ / "model" / "config.json", config.dump());
    const Safetensors file(from / "model.safetensors");
    std::map<std::string, Tensor> tensors;
    for (const auto& [tensor, entry] : file.entries()) tensors[rename(tensor)] = file.read(tensor);
    write_safetensors(folder_ / "model" / "model.safetensors", tensors);
    const std::string text = error_of<Error>([&] { open_model((folder_ / "model").string()); });
    return text.substr(0, (folder_ / "model").string().size()) == (folder_ / "model").string()
               ? text.substr((folder_ / "model").string().size())
               : text;
  }
  TemporaryFolder folder_;
};

TEST_F(OtherClasses, AnotherClassesHeadIsNotTaken) {
  expect_in(error("distilbert", {{"architectures", {"DistilBertForMultipleChoice"}}}),
            "holds a DistilBertForMultipleChoice, which has no classification head for sentences (pre_classifier and "
            "classifier)");
  expect_in(error("roberta", {{"architectures", {"RobertaForTokenClassification"}}}),
            "no classification head for sentences (classifier.dense and classifier.out_proj)");
  // A RobertaModel of itself: no prefix, and a pooler that is not that of the head.
  const auto bare = [](const std::string& name) {
    if (name.starts_with("classifier.out_proj")) return "lm_head" + name.substr(19);
    if (name.starts_with("classifier.dense")) return "pooler.dense" + name.substr(16);
    return name.substr(8);
  };
  expect_in(error("roberta", {{"architectures", {"RobertaModel"}}}, bare), "holds a RobertaModel");
  const auto model = open_model((folder_ / "model").string(), {.may_start_head = true});
  EXPECT_EQ(model->report.initialised.size(), 4U);
  EXPECT_EQ(model->report.ignored.size(), 4U) << model->report.text();
  EXPECT_TRUE(model->report.unexpected.empty());
}

TEST_F(OtherClasses, FieldsThatChangeAnswersAreRefused) {
  expect_in(error("distilbert", {{"sinusoidal_pos_embds", true}}), "sinusoidal_pos_embds is true");
  expect_in(error("distilbert", {{"num_attention_heads", 4}}), "which a distilbert calls n_heads");
  expect_in(error("distilbert", {{"activation", "mish"}}), "activation is \"mish\"; expected gelu, relu");
  expect_in(error("distilbert", {{"n_heads", 3}}), "is not a multiple of");
  expect_in(error("roberta", {{"pad_token_id", -3}}), "pad_token_id is -3");
  expect_in(error("roberta", {{"position_embedding_type", "relative_key"}}), "position_embedding_type");
  expect_in(error("electra", {{"embedding_size", 7}}), "electra.embeddings.LayerNorm.bias [6] for [7]");
  expect_in(error("electra", {{"architectures", {"BertModel"}}}), "one of model_type electra");
  for (const char* type : {"albert", "deberta-v2", "mpnet", "xlm-roberta", "modernbert", "gpt2"})
    expect_in(error("electra", {{"model_type", type}}), "expected one of bert, distilbert, roberta, electra");
}

}  // namespace
}  // namespace espalier
