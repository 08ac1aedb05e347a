// SPDX-License-Identifier: Apache-2.0
// Models with a head of pre-training: what transformers computes with the same weights, in evaluation and in training,
// files in both directions, and what becomes of the head when a model goes on to another task. The models are those of
// tests/golden/pretraining.py.
#include <cmath>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "core/parallel.h"
#include "data/models/hf_export.h"
#include "data/models/model_source.h"
#include "data/models/safetensors.h"
#include "nn/heads/pretraining.h"
#include "optim/optimizer.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

fs::path golden_folder(const std::string& name) {
  return fs::path(ESPALIER_TESTS_DIR) / "golden" / "pretraining" / name;
}

// Sentences first … last - 1 of a batch of expected.json.
PackedBatch packed(const Json& data, size_t first, size_t last) {
  PackedBatch batch;
  batch.offsets = {0};
  for (size_t b = first; b < last; ++b) {
    for (const Json& id : data["ids"][b]) batch.ids.push_back(id.get<int32_t>());
    for (const Json& segment : data["segments"][b]) batch.segments.push_back(segment.get<int32_t>());
    for (const Json& label : data["labels"][b]) batch.labels.push_back(label.get<int32_t>());
    batch.values.push_back(data["pairs"][b].get<float>());
    batch.offsets.push_back(static_cast<int32_t>(batch.ids.size()));
    batch.rows.push_back(static_cast<int64_t>(b));
  }
  return batch;
}

class PretrainingFiles : public testing::TestWithParam<const char*> {
 protected:
  void TearDown() override { set_threads(0); }

  // Loss and gradient norm of each of 20 steps whose window is cut into `batches`.
  std::vector<std::pair<double, double>> learn(Rule rule, const std::vector<size_t>& cuts = {0, 4},
                                               DType compute = DType::f32) const {
    const auto model = open_model(folder_.string());
    model->bert->set_compute(compute);
    Optimizer optimizer(model->store, {.rule = rule});
    std::vector<std::pair<double, double>> found;
    for (size_t step = 0; step < 20; ++step) {
      std::vector<PackedBatch> window;
      for (size_t i = 0; i + 1 < cuts.size(); ++i)
        window.push_back(packed(expected_["batches"][step % 3], cuts[i], cuts[i + 1]));
      const Head& head = model->bert->head();
      LossWeight weight;
      for (const PackedBatch& batch : window) weight = weight + head.weight(batch);
      double sum = 0;
      for (const PackedBatch& batch : window) {
        Tape tape;
        Context context{.tape = &tape};  // without dropout
        const Var loss = head.loss((*model->bert)(batch, context), batch, weight);
        sum += static_cast<double>(*loss.value.data<float>());
        tape.backward(loss);
      }
      found.emplace_back(sum, gradient_norm(model->store));
      optimizer.step(3e-3);
    }
    return found;
  }
  void expect_learns(Rule rule, const std::vector<size_t>& cuts, double tolerance, DType compute = DType::f32) const {
    const Json& expected = expected_[text_of(rule)];
    const auto found = learn(rule, cuts, compute);
    for (size_t step = 0; step < found.size(); ++step) {
      const double loss = expected["losses"][step].get<double>(), norm = expected["norms"][step].get<double>();
      EXPECT_NEAR(found[step].first, loss, tolerance * loss) << text_of(rule) << ", step " << step;
      EXPECT_NEAR(found[step].second, norm, tolerance * norm) << text_of(rule) << ", step " << step;
    }
  }

  const bool pairs_ = std::string(GetParam()) == "pairs";
  const fs::path folder_ = golden_folder(GetParam());
  const Json expected_ = Json::parse(read_bytes(folder_ / "expected.json"));
};

TEST_P(PretrainingFiles, LearnAsTransformers) {
  for (const Rule rule : {Rule::adamw, Rule::lamb}) expect_learns(rule, {0, 4}, 1e-4);
}

TEST_P(PretrainingFiles, ABatchInPartsIsTheWholeBatch) { expect_learns(Rule::adamw, {0, 1, 2, 4}, 1e-4); }

TEST_P(PretrainingFiles, LearnInBf16) { expect_learns(Rule::adamw, {0, 4}, 5e-2, DType::bf16); }

TEST_P(PretrainingFiles, ThreadsDoNotChangeABit) {
  set_threads(1);
  const auto one = learn(Rule::lamb);
  set_threads(3);
  EXPECT_EQ(learn(Rule::lamb), one);
}

TEST_P(PretrainingFiles, ScoreAsTransformers) {
  const auto model = open_model(folder_.string());
  const PackedBatch batch = packed(expected_["batches"][0], 0, 4);
  double loss = 0, right = 0, pair_loss = 0, pairs = 0, pairs_right = 0;
  const auto log_of = [](const std::vector<double>& logits, int32_t wanted, double& hit) {
    double sum = 0;
    for (const double z : logits) sum += std::exp(z);
    hit += std::ranges::max_element(logits) - logits.begin() == wanted ? 1 : 0;
    return std::log(sum) - logits[static_cast<size_t>(wanted)];
  };
  size_t masked = 0;
  for (const int32_t label : batch.labels)
    if (label >= 0) loss += log_of(expected_["logits"][masked++].get<std::vector<double>>(), label, right);
  for (size_t b = 0; b < 4 && pairs_; ++b) {
    if (batch.values[b] < 0) continue;
    ++pairs;
    pair_loss += log_of(expected_["pair_logits"][b].get<std::vector<double>>(), static_cast<int32_t>(batch.values[b]),
                        pairs_right);
  }
  const auto n = static_cast<double>(masked);
  for (const Use use : {Use::training, Use::inference}) {
    model->bert->set_compute(DType::f32, use);
    Context context;
    const Head& head = model->bert->head();
    const Metrics found = head.metrics(head.scores((*model->bert)(batch, context).value, batch));
    EXPECT_NEAR(found.at("masked_loss"), loss / n, 1e-5);
    EXPECT_NEAR(found.best(), right / n, 1e-9);
    EXPECT_NEAR(found.loss, loss / n + (pairs_ ? pair_loss / pairs : 0), 1e-5);
    if (pairs_) { EXPECT_NEAR(found.at("pair_accuracy"), pairs_right / pairs, 1e-9); }
    EXPECT_EQ(std::isnan(found.at("pair_loss")), !pairs_);
  }
}

TEST_P(PretrainingFiles, GoBackToTheirOwnLayoutBitByBit) {
  const TemporaryFolder folder;
  const auto model = open_model(folder_.string());
  EXPECT_EQ(model->config.head, pairs_ ? "pre-training" : "masked-words");
  EXPECT_EQ(model->report.loaded, std::ssize(model->store.all()));
  EXPECT_TRUE(model->report.ignored.empty() && model->report.unexpected.empty()) << model->report.text();
  save_checkpoint(folder / "model.h5", model->store, model->contents());
  const auto exported = export_hf(*open_model((folder / "model.h5").string()), folder / "back");
  EXPECT_EQ(exported.notes.at(0),
            std::string("transformers loads it as ") + (pairs_ ? "BertForPreTraining" : "BertForMaskedLM"));
  const Safetensors before(folder_ / "model.safetensors"), after(folder / "back" / "model.safetensors");
  EXPECT_EQ(before.entries().size(), after.entries().size()) << "the tied decoder once";
  for (const auto& [name, entry] : before.entries()) {
    ASSERT_TRUE(after.entries().contains(name)) << name;
    const Tensor a = before.read(name), b = after.read(name);
    EXPECT_TRUE(a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0) << name;
  }
  const Json own = Json::parse(read_bytes(folder_ / "config.json")),
             back = Json::parse(read_bytes(folder / "back" / "config.json"));
  EXPECT_EQ(back["architectures"], own["architectures"]);
  EXPECT_FALSE(back.contains("problem_type"));
  EXPECT_EQ(open_model((folder / "back").string())->config.head, model->config.head);
}

INSTANTIATE_TEST_SUITE_P(Golden, PretrainingFiles, testing::Values("pairs", "words"),
                         [](const auto& test) { return std::string(test.param); });

// What happens to heads between tasks; each model as a directory and as a checkpoint.
class ChangeOfTask : public testing::Test {
 protected:
  std::vector<std::string> sources(const std::string& directory) const {
    const auto model = open_model(directory);
    const std::string file = (folder_ / (fs::path(directory).filename().string() + ".h5")).string();
    save_checkpoint(file, model->store, model->contents());
    return {directory, file};
  }
  static OpenOptions to(const std::string& head) { return {.seed = 3, .head = head, .may_start_head = true}; }
  static OpenOptions for_training() {
    return {.seed = 3, .may_start_head = true, .new_task = [](const BertConfig& config) {
              return Task{config.head, {"no", "yes", "maybe"}, "from the test"};
            }};
  }
  static bool same(const Model& a, const Model& b, const std::string& name) {
    const Tensor x = a.store.at(name).value, y = b.store.at(name).value;
    return std::memcmp(x.raw(), y.raw(), x.bytes()) == 0;
  }

  const std::string pairs_ = golden_folder("pairs").string(), words_ = golden_folder("words").string(),
                    classes_ = (fs::path(ESPALIER_TESTS_DIR) / "golden" / "hf_model").string();
  const TemporaryFolder folder_;
};

TEST_F(ChangeOfTask, ATaskOnLabelledTextKeepsEncoderAndPooler) {
  const auto before = open_model(pairs_);
  for (const std::string& source : sources(pairs_)) {
    const auto model = open_model(source, for_training());
    EXPECT_EQ(model->config.head, "classification");
    EXPECT_EQ(model->config.labels.at(2), "maybe");
    EXPECT_EQ(model->report.new_head,
              "new head for classification: the model's is for pre-training; of that, cls.* is not used");
    EXPECT_EQ(model->report.initialised, (std::vector<std::string>{"classifier.bias", "classifier.weight"}));
    EXPECT_EQ(model->report.ignored.size(), 7U) << model->report.text();
    EXPECT_EQ(model->report.ignored.at(0), "cls.predictions.bias");
    for (const char* name : {"bert.pooler.dense.weight", "bert.encoder.layer.1.output.dense.weight"})
      EXPECT_TRUE(same(*model, *before, name)) << source << name;
  }
}

TEST_F(ChangeOfTask, PreTrainingStartsFromAnyEncoder) {
  const auto before = open_model(classes_);
  for (const std::string& source : sources(classes_)) {
    const auto model = open_model(source, to("pre-training"));
    EXPECT_EQ(model->report.new_head,
              "new head for pre-training: the model's is for classification; its classifier.bias and "
              "classifier.weight are not used");
    EXPECT_EQ(model->report.initialised.size(), 7U) << model->report.text();
    EXPECT_EQ(model->report.ignored, (std::vector<std::string>{"classifier.bias", "classifier.weight"}));
    EXPECT_TRUE(same(*model, *before, "bert.pooler.dense.weight"));
    EXPECT_NE(model->store.at("cls.seq_relationship.weight").value.data<float>()[0], 0);
    EXPECT_EQ(open_model(source, to("masked-words"))->report.ignored.size(), 4U) << "the pooler, too";
  }
  expect_in(error_of<Error>([&] { open_model(classes_, {.head = "pre-training"}); }), "train one first");
}

TEST_F(ChangeOfTask, TheDecoderOfWordsStaysBetweenTheHeadsOfPreTraining) {
  const auto before = open_model(pairs_);
  for (const std::string& source : sources(pairs_)) {
    const auto model = open_model(source, to("masked-words"));
    EXPECT_TRUE(same(*model, *before, "cls.predictions.transform.dense.weight"));
    EXPECT_EQ(model->report.initialised, std::vector<std::string>());
    EXPECT_EQ(model->report.ignored,
              (std::vector<std::string>{"bert.pooler.dense.bias", "bert.pooler.dense.weight",
                                        "cls.seq_relationship.bias", "cls.seq_relationship.weight"}));
    expect_in(model->report.new_head, "its decoder of masked words is kept");
  }
  for (const std::string& source : sources(words_))
    EXPECT_EQ(open_model(source, to("pre-training"))->report.initialised.size(), 4U);
}

TEST_F(ChangeOfTask, ADecoderOfItsOwnIsRefused) {
  fs::copy(pairs_, folder_ / "untied");
  std::map<std::string, Tensor> tensors;
  {
    const Safetensors file(fs::path(pairs_) / "model.safetensors");
    for (const auto& [name, entry] : file.entries()) tensors[name] = file.read(name);
  }
  const auto opened = [&] {
    write_safetensors(folder_ / "untied" / "model.safetensors", tensors);
    return error_of<Error>([&] { open_model((folder_ / "untied").string()); });
  };
  Tensor& decoder = tensors["cls.predictions.decoder.weight"];
  decoder = tensors.at("bert.embeddings.word_embeddings.weight").clone();
  write_safetensors(folder_ / "untied" / "model.safetensors", tensors);
  EXPECT_EQ(open_model((folder_ / "untied").string())->report.ignored.at(0), "cls.predictions.decoder.weight");
  decoder.data<float>()[3] += 1;
  expect_in(opened(), "cls.predictions.decoder.weight differs from bert.embeddings.word_embeddings.weight");
}

TEST_F(ChangeOfTask, OtherEncodersAreRefusedByName) {
  const fs::path encoders = fs::path(ESPALIER_TESTS_DIR) / "golden" / "encoders";
  expect_in(error_of<Error>([&] { open_model((encoders / "electra").string(), to("pre-training")); }),
            "the encoder is of model_type electra; expected bert");
  ParameterStore store;
  BertConfig narrow = BertConfig::of_size("tiny");
  narrow.embedding_size = 6;
  narrow.head = "masked-words";
  expect_in(error_of<Error>([&] { const Bert model(store, narrow); }), "the word embeddings are 6 wide and the layers");
}

TEST(PretrainingHead, DistilsMaskedWords) {
  const auto student = open_model(golden_folder("words").string()),
             teacher = open_model(golden_folder("pairs").string());
  const Json expected = Json::parse(read_bytes(golden_folder("pairs") / "expected.json"));
  const PackedBatch batch = packed(expected["batches"][0], 0, 4);
  const auto head_of = [](const Model& model) -> const Pretraining& {
    return dynamic_cast<const Pretraining&>(model.bert->head());
  };
  Context plain;
  const Tensor states = (*teacher->bert)(batch, plain).value;
  Tape tape;
  Context context{.tape = &tape};
  const Var rows = (*student->bert)(batch, context);
  const Var loss = head_of(*student).soft_loss(rows, batch, head_of(*teacher), states, 2, 10);
  EXPECT_GT(*loss.value.data<float>(), 0.01);
  tape.backward(loss);
  student->store.make_gradients();
  const Var own = head_of(*teacher).soft_loss({states}, batch, head_of(*teacher), states, 2, 10);
  EXPECT_NEAR(*own.value.data<float>(), 0, 1e-6) << "both agree";
  expect_in(error_of<Error>([&] { head_of(*student).soft_loss(rows, states, 1, 1); }),
            "pretrain with --distill.teacher");
}

}  // namespace
}  // namespace espalier
