// SPDX-License-Identifier: Apache-2.0
#include "data/models/model_source.h"

#include <sys/stat.h>

#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "data/models/safetensors.h"
#include "data/text/demo_corpus.h"
#include "nn/packed_batch.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const fs::path golden = fs::path(ESPALIER_TESTS_DIR) / "golden";
const fs::path hf = golden / "hf_model";

std::vector<float> logits(const Model& model, const std::vector<int32_t>& ids) {
  PackedBatch batch;
  batch.ids = ids;
  batch.segments.assign(ids.size(), 0);
  batch.offsets = {0, static_cast<int32_t>(ids.size())};
  Context context;
  const Var y = (*model.bert)(batch, context);
  const auto values = y.value.span<float>();
  return {values.begin(), values.end()};
}

bool same_values(const Model& a, const Model& b) {
  const auto x = a.store.values().span<float>(), y = b.store.values().span<float>();
  return std::equal(x.begin(), x.end(), y.begin(), y.end());
}

TEST(ModelSource, DirectoryPredictsAsTransformers) {
  const auto model = open_model(hf.string());
  EXPECT_EQ(model->source, hf.string());
  const Json expected = Json::parse(read_bytes(hf / "expected.json"))["texts"];
  ASSERT_EQ(expected.size(), 4U);
  for (const Json& row : expected) {
    const auto ids = model->tokenizer.encode(row["text"].get<std::string>(), 20).ids;
    EXPECT_EQ(ids, row["ids"].get<std::vector<int32_t>>());
    const auto found = logits(*model, ids), wanted = row["logits"].get<std::vector<float>>();
    ASSERT_EQ(found.size(), wanted.size());
    for (size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(found[i], wanted[i], 2e-6) << row["text"];
  }
}

TEST(ModelSource, RefusesWeightsThatAreNoNumbers) {
  const TemporaryFolder folder;
  const auto model = open_model(hf.string());
  const std::string name = model->store.all().front()->name, path = (folder / "m.h5").string();
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    model->store.all().front()->value.data<float>()[0] = bad;
    save_checkpoint(path, model->store, model->contents());
    expect_in(error_of<Error>([&] { open_model(path); }), path + ": " + name + " holds a NaN or an infinity");
  }
}

TEST(ModelSource, CheckpointIsTheSameModel) {
  const TemporaryFolder folder;
  const auto model = open_model(hf.string());
  model->options = {{"epochs", 3}};
  save_checkpoint(folder / "m.h5", model->store, model->contents());
  const auto again = open_model((folder / "m.h5").string());
  EXPECT_TRUE(same_values(*model, *again));
  EXPECT_EQ(logits(*again, {2, 5, 8, 7, 3}), logits(*model, {2, 5, 8, 7, 3}));
  EXPECT_EQ(again->options, model->options);
  EXPECT_EQ(again->config.labels, model->config.labels);
  EXPECT_EQ(again->tokenizer.vocabulary(), model->tokenizer.vocabulary());
  EXPECT_EQ(again->report.text(), "41 tensors loaded");
  save_checkpoint(folder / "n.h5", again->store, again->contents());
  EXPECT_EQ(read_bytes(folder / "n.h5"), read_bytes(folder / "m.h5"));

  const auto renamed = open_model((folder / "m.h5").string(), {.labels = {{"x", "y", "z"}}});
  EXPECT_EQ(renamed->contents().config.labels, (std::vector<std::string>{"x", "y", "z"}));
  EXPECT_EQ(renamed->report.labels, "x, y, z (from --labels; they replace the model's negative, neutral, positive)");
  EXPECT_EQ(again->report.labels, "negative, neutral, positive (from the model)");
  expect_in(error_of<Error>([&] {
              open_model((folder / "m.h5").string(), {.labels = {{"x", "y"}}});
            }),
            "m.h5: its head is for 3 labels (negative, neutral, positive), and 2 are wanted; train a new one first");
  expect_in(error_of<Error>([&] { open_model((folder / "m.h5").string(), {.vocabulary = hf / "vocab.txt"}); }),
            "m.h5: has a vocabulary of its own");
}

TEST(ModelSource, RandomFollowsTheSeed) {
  const auto one = open_model("random:tiny", {.seed = 1, .vocabulary = hf / "vocab.txt"});
  const auto same = open_model("random:tiny", {.seed = 1, .vocabulary = hf});
  const auto other = open_model("random:tiny", {.seed = 2, .vocabulary = hf, .labels = {{"a", "b", "c"}}});
  EXPECT_EQ(one->config.vocab_size, 25);
  EXPECT_EQ(one->store.at("bert.embeddings.word_embeddings.weight").shape, Shape({25, 128}));
  EXPECT_TRUE(same_values(*one, *same));
  EXPECT_NE(one->store.at("bert.pooler.dense.weight").value.data<float>()[0],
            other->store.at("bert.pooler.dense.weight").value.data<float>()[0]);
  EXPECT_EQ(other->store.at("classifier.bias").shape, Shape({3}));
  EXPECT_EQ(one->report.text(), "initialised from the seed");
  EXPECT_EQ(one->report.initialised.size(), one->store.all().size());

  const auto demo = open_model("random:tiny");
  EXPECT_EQ(demo->tokenizer.vocabulary(), demo_vocabulary());
  EXPECT_EQ(demo->config.vocab_size, std::ssize(demo_vocabulary()));
  expect_in(error_of<Error>([] { open_model("random:huge"); }), "choose tiny, mini, small, medium, base or large");
}

TEST(ModelSource, DirectoryMayGetOtherLabelsAndVocabulary) {
  const TemporaryFolder folder;
  for (const char* name : {"config.json", "model.safetensors"}) fs::copy(hf / name, folder / name);
  const std::string directory = folder.path().string();
  expect_in(error_of<Error>([&] { open_model(directory); }), "holds no vocabulary");
  EXPECT_TRUE(same_values(*open_model(directory, {.vocabulary = hf / "vocab.txt"}), *open_model(hf.string())));
  EXPECT_EQ(open_model(directory, {.vocabulary = hf, .labels = {{"x", "y", "z"}}})->config.labels[2], "z");
  expect_in(error_of<Error>([&] {
              open_model(directory, {.vocabulary = hf, .labels = {{"x", "y"}}});
            }),
            "its head is for 3 labels");
  expect_in(error_of<Error>([&] {
              open_model(directory, {.vocabulary = hf, .labels = {{"x", "x"}}});
            }),
            "a name is given twice");
  expect_in(error_of<Error>([&] { open_model(directory, {.vocabulary = hf, .head = "poetry"}); }), "head is 'poetry'");

  std::string vocabulary = read_bytes(hf / "vocab.txt");
  write_bytes(folder / "vocab.txt", vocabulary + "more\n");
  expect_in(error_of<Error>([&] { open_model(directory); }),
            directory + ": the vocabulary has 26 tokens and the word embeddings have 25 rows");
  write_bytes(folder / "vocab.txt", vocabulary.substr(0, vocabulary.size() - 2));
  const auto surplus = open_model(directory);
  EXPECT_EQ(surplus->tokenizer.size(), 24) << "rows behind the last token are never read";
  expect_in(surplus->report.text(), "1 rows of the word embeddings have no token");
}

// A copy of the golden directory, whose config.json can be changed.
struct Copy {
  explicit Copy(const std::string& change = "{}") {
    for (const char* name : {"config.json", "model.safetensors", "vocab.txt", "tokenizer_config.json"})
      fs::copy(hf / name, folder / name);
    Json json = Json::parse(read_bytes(hf / "config.json"));
    json.merge_patch(Json::parse(change));
    write_bytes(folder / "config.json", json.dump());
  }
  std::string path() const { return folder.path().string(); }
  TemporaryFolder folder;
};

TEST(ModelSource, AnotherNumberOfLabelsMakesANewHead) {
  const Copy copy;
  const TemporaryFolder folder;
  const auto model = open_model(copy.path());
  save_checkpoint(folder / "m.h5", model->store, model->contents());
  for (const std::string& source : {copy.path(), (folder / "m.h5").string()}) {
    const auto two = open_model(source, {.seed = 3, .labels = {{"no", "yes"}}, .may_start_head = true});
    EXPECT_EQ(two->config.labels, (std::vector<std::string>{"no", "yes"}));
    EXPECT_EQ(two->report.new_head,
              "new head for 2 labels: the model's has 3 (negative, neutral, positive), whose classifier.bias and "
              "classifier.weight are not used");
    EXPECT_EQ(two->report.initialised, (std::vector<std::string>{"classifier.bias", "classifier.weight"}));
    EXPECT_EQ(two->store.at("classifier.weight").shape, (Shape{2, 8}));
    EXPECT_NE(two->store.at("classifier.weight").value.data<float>()[0], 0);
    EXPECT_EQ(two->store.at("bert.pooler.dense.bias").value.data<float>()[3],
              model->store.at("bert.pooler.dense.bias").value.data<float>()[3]);
  }
}

// The rows of a trained head belong to its names: another order would swap its answers.
TEST(ModelSource, NamesInAnotherOrderAreRefused) {
  const Copy copy;
  for (const std::vector<std::string>& swapped :
       {std::vector<std::string>{"positive", "neutral", "negative"}, {"NEUTRAL", "Negative", "positive"}})
    expect_in(error_of<Error>([&] { open_model(copy.path(), {.labels = swapped, .may_start_head = true}); }),
              "expected the model's order (negative, neutral, positive): leave --labels out");
  expect_in(error_of<Error>([&] {
              open_model(copy.path(), {.labels = {{"a", "b", "neutral"}}, .may_start_head = true});
            }),
            "--labels has 'neutral' as class 2, the model as class 1");
  EXPECT_EQ(open_model(copy.path(), {.labels = {{"Negative", "Neutral", "Positive"}}})->config.labels[0], "Negative");
}

TEST(ModelSource, AHeadThatIsNotInTheFileNeverAnswers) {
  for (const char* name : {"BertModel", "BertForMaskedLM", "BertForTokenClassification", "BertForQuestionAnswering"}) {
    const Copy copy(std::string(R"({"architectures": [")") + name + "\"]}");
    EXPECT_EQ(error_of<Error>([&] { open_model(copy.path()); }),
              copy.path() + ": holds a " + name +
                  ", which has no classification head for sentences (bert.pooler.dense and classifier); an answer "
                  "would be random: train one first, with train --model " +
                  copy.path());
    const auto task = [](const BertConfig& config) { return Task{config.head, {"a", "b"}, "from the test"}; };
    const auto fresh = open_model(copy.path(), {.may_start_head = true, .new_task = task});
    EXPECT_EQ(fresh->report.labels, "a, b (from the test)");
    EXPECT_EQ(open_model(copy.path(), {.may_start_head = true})->config.classes(), 3);
  }
  for (const char* name : {"RobertaForSequenceClassification", "MyBert", "BertForSequenceClassificationWithCrf"}) {
    const Copy copy(std::string(R"({"architectures": [")") + name + "\"]}");
    expect_in(error_of<Error>([&] { open_model(copy.path(), {.may_start_head = true}); }),
              std::string("architectures is [\"") + name + "\"]; expected one of model_type bert");
  }
  const Copy unnamed(R"({"architectures": null})");
  EXPECT_EQ(open_model(unnamed.path())->config.classes(), 3) << "the tensors tell";
}

TEST(ModelSource, AnUnknownPrefixIsNamed) {
  const Copy copy;
  std::map<std::string, Tensor> tensors;
  {
    const Safetensors file(hf / "model.safetensors");
    for (const auto& [name, entry] : file.entries()) tensors["student." + name] = file.read(name);
  }
  write_safetensors(copy.folder / "model.safetensors", tensors);
  expect_in(
      error_of<Error>([&] { open_model(copy.path()); }),
      "only student.bert.pooler.dense.bias, student.bert.pooler.dense.weight, student.classifier.bias and 38 more");
  expect_in(error_of<Error>([&] { open_model(copy.path(), {.may_start_head = true}); }),
            "41 of the file are not used (student.bert.embeddings.LayerNorm.bias");
}

TEST(ModelSource, WarnsOfWhatHasNoEffect) {
  const Copy copy(R"({"logit_scale": 2})");
  std::vector<std::string> lines;
  Listener listener;
  listener.warn = [&](const std::string& line) { lines.push_back(line); };
  open_model(copy.path(), {.listener = listener});
  EXPECT_EQ(lines, (std::vector<std::string>{copy.path() + ": fields of config.json that have no effect here: "
                                                           "logit_scale"}));
  lines.clear();
  open_model(hf.string(), {.listener = listener});
  EXPECT_TRUE(lines.empty());
}

TEST(ModelSource, LabelsThatAreNotUtf8AreRefusedBeforeAnyTraining) {
  expect_in(error_of<Error>([] { open_model("random:tiny", {.labels = {{"a\xff", "b"}}}); }), "is not UTF-8");
}

TEST(ModelSource, OtherSourcesGetTheThreeForms) {
  const TemporaryFolder folder;
  const std::string forms =
      "; expected a checkpoint FILE.h5, a Hugging Face directory, or random:tiny|mini|small|medium|base|large";
  EXPECT_EQ(error_of<Error>([] { open_model("bert-base"); }), "bert-base: there is no such file or directory" + forms);
  EXPECT_EQ(error_of<Error>([] { open_model(""); }), ": there is no such file or directory" + forms);
  const std::string file = (hf / "model.safetensors").string();
  EXPECT_EQ(error_of<Error>([&] { open_model(file); }), file + ": is not a model" + forms);
  write_bytes(folder / "empty.h5", "");
  EXPECT_EQ(error_of<Error>([&] { open_model((folder / "empty.h5").string()); }),
            (folder / "empty.h5").string() + ": cannot be opened as HDF5; it is of another kind, damaged or cut off");
  ASSERT_EQ(::mkfifo((folder / "pipe.h5").c_str(), 0600), 0);
  expect_in(error_of<Error>([&] { open_model((folder / "pipe.h5").string()); }), "is a pipe; expected a file");
  expect_in(error_of<Error>([&] { open_model(folder.path().string()); }), "config.json: cannot be opened");
  expect_in(error_of<Error>([&] { open_model((golden / "hdf5_odd.h5").string()); }),
            "is an HDF5 file, but no checkpoint");
}

}  // namespace
}  // namespace espalier
