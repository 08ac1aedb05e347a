// SPDX-License-Identifier: Apache-2.0
#include "data/models/hf.h"

#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "data/models/safetensors.h"
#include "nn/bert.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const fs::path golden = fs::path(ESPALIER_TESTS_DIR) / "golden";

std::map<std::string, Tensor> golden_tensors() {
  const Safetensors file(golden / "hf_model" / "model.safetensors");
  std::map<std::string, Tensor> tensors;
  for (const auto& [name, entry] : file.entries()) tensors[name] = file.read(name);
  return tensors;
}

// A model of the golden configuration, without values.
struct Loaded {
  explicit Loaded(int64_t labels = 3) {
    BertConfig config = read_config(golden / "hf_model").model;
    config.labels.resize(static_cast<size_t>(labels), "more");
    bert = std::make_unique<Bert>(store, config);
  }
  double sum(const std::string& name) const {
    double total = 0;
    for (const float value : store.at(name).value.span<float>()) total += value;
    return total;
  }
  // Expects the golden value of every parameter but those of the head.
  void expect_golden(bool head) const {
    const Json sums = Json::parse(read_bytes(golden / "hf_model" / "expected.json"))["sums"];
    EXPECT_EQ(sums.size(), 41U);
    for (const auto& [name, total] : sums.items()) {
      const bool in_head = name.starts_with("classifier") || name.starts_with("bert.pooler");
      if (head || !in_head) { EXPECT_NEAR(sum(name), total.get<double>(), 1e-5) << name; }
    }
  }
  ParameterStore store;
  std::unique_ptr<Bert> bert;
};

class Directory : public testing::Test {
 protected:
  // A directory with the golden tensors after a change.
  LoadReport load(const std::function<void(std::map<std::string, Tensor>&)>& change, Loaded& model, uint64_t seed = 1) {
    auto tensors = golden_tensors();
    change(tensors);
    write_safetensors(folder_ / "model.safetensors", tensors);
    return HfWeights(folder_.path()).load(model.store, seed, 0.02F);
  }
  TemporaryFolder folder_;
};

void rename(std::map<std::string, Tensor>& tensors, const std::function<std::string(std::string)>& to) {
  std::map<std::string, Tensor> renamed;
  for (const auto& [name, tensor] : tensors) renamed[to(name)] = tensor;
  tensors = renamed;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  if (const size_t at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

TEST_F(Directory, LoadsWhatTransformersWrites) {
  for (const char* name : {"hf_model", "hf_model_sharded"}) {
    Loaded model;
    const LoadReport report = HfWeights(golden / name).load(model.store, 1, 0.02F);
    EXPECT_EQ(report.loaded, 41);
    EXPECT_EQ(report.text(), "41 tensors loaded");
    model.expect_golden(true);
  }
}

TEST_F(Directory, TakesOtherNamesOfTheSameTensors) {
  const auto check = [&](const std::function<std::string(std::string)>& to) {
    Loaded model;
    const LoadReport report = load([&](auto& tensors) { rename(tensors, to); }, model);
    EXPECT_EQ(report.text(), "41 tensors loaded");
    model.expect_golden(true);
  };
  check([](const std::string& name) { return replaced(name, "bert.", ""); });
  for (const std::string prefix : {"module.", "_orig_mod.", "model.", "module._orig_mod.", "_orig_mod.module.model."}) {
    check([&](const std::string& name) { return prefix + name; });
    check([&](const std::string& name) { return prefix + replaced(name, "bert.", ""); });
  }
  check([](const std::string& name) {
    return replaced(replaced(name, "LayerNorm.weight", "LayerNorm.gamma"), "LayerNorm.bias", "LayerNorm.beta");
  });
}

TEST_F(Directory, ReportsNewIgnoredAndUnexpectedTensors) {
  const auto change = [](std::map<std::string, Tensor>& tensors) {
    std::erase_if(
        tensors, [](const auto& t) { return t.first.starts_with("classifier") || t.first.starts_with("bert.pooler"); });
    tensors["bert.embeddings.position_ids"] = Tensor::zeros({1, 20}, DType::i32);
    tensors["cls.predictions.bias"] = Tensor::zeros({25});
    tensors["qa_outputs.weight"] = Tensor::zeros({2, 8});
    tensors["bert.encoder.layer.7.output.dense.bias"] = Tensor::zeros({8});
    tensors["odd"] = Tensor::zeros({1, 2, 3});
  };
  Loaded model, same, other, full;
  const LoadReport report = load(change, model, 5);
  EXPECT_EQ(report.loaded, 37);
  EXPECT_EQ(report.initialised, (std::vector<std::string>{"bert.pooler.dense.bias", "bert.pooler.dense.weight",
                                                          "classifier.bias", "classifier.weight"}));
  EXPECT_EQ(report.ignored,
            (std::vector<std::string>{"bert.embeddings.position_ids", "cls.predictions.bias", "qa_outputs.weight"}));
  EXPECT_EQ(report.unexpected, (std::vector<std::string>{"bert.encoder.layer.7.output.dense.bias", "odd"}));
  EXPECT_EQ(report.text(),
            "37 tensors loaded; new, initialised from the seed: bert.pooler.dense.bias, bert.pooler.dense.weight, "
            "classifier.bias, classifier.weight; not needed: "
            "bert.embeddings.position_ids, cls.predictions.bias, qa_outputs.weight; of unknown purpose and ignored: "
            "bert.encoder.layer.7.output.dense.bias, odd");
  EXPECT_EQ(report.warning(),
            "2 of its tensors are of unknown purpose and have no effect here: bert.encoder.layer.7.output.dense.bias, "
            "odd");
  model.expect_golden(false);
  load(change, same, 5);
  load(change, other, 6);
  full.store.allocate(5, 0.02F);
  const auto values = [](const Loaded& m) {
    const auto s = m.store.at("classifier.weight").value.span<float>();
    return std::vector<float>(s.begin(), s.end());
  };
  EXPECT_EQ(values(model), values(same));
  EXPECT_EQ(values(model), values(full));
  EXPECT_NE(values(model), values(other));
  EXPECT_EQ(model.sum("classifier.bias"), 0);
}

TEST_F(Directory, OneErrorListsAllThatDoesNotFit) {
  Loaded model;
  const std::string text = error_of<Error>([&] {
    load(
        [](auto& tensors) {
          tensors.erase("bert.embeddings.LayerNorm.weight");
          tensors.erase("bert.encoder.layer.1.output.dense.bias");
          tensors["bert.embeddings.word_embeddings.weight"] = Tensor::zeros({24, 8});
          tensors["classifier.weight"] = Tensor::zeros({2, 8, 1, 1});
        },
        model);
  });
  EXPECT_EQ(text, folder_.path().string() +
                      ": 2 missing (bert.embeddings.LayerNorm.weight, bert.encoder.layer.1.output.dense.bias), 2 of "
                      "the wrong shape (bert.embeddings.word_embeddings.weight [24, 8] for [25, 8], classifier.weight "
                      "[2, 8, 1, 1] for [3, 8]); expected the tensors that config.json describes");
  EXPECT_FALSE(model.store.values()) << "memory was taken before the check";

  Loaded wrapped;
  const std::string other = error_of<Error>([&] {
    load([](auto& tensors) { rename(tensors, [](const std::string& name) { return "student." + name; }); }, wrapped);
  });
  expect_in(other, "37 missing (bert.embeddings.LayerNorm.bias, bert.embeddings.LayerNorm.weight, ");
  expect_in(other, "and 34 more), 41 of the file are not used (student.bert.embeddings.LayerNorm.bias, ");
  EXPECT_LT(other.size(), 500U);

  Loaded twice;
  expect_in(
      error_of<Error>([&] { load([](auto& tensors) { tensors["pooler.dense.bias"] = Tensor::zeros({8}); }, twice); }),
      "bert.pooler.dense.bias and pooler.dense.bias are both for bert.pooler.dense.bias");
  Loaded whole_numbers;
  expect_in(error_of<Error>([&] {
              load([](auto& tensors) { tensors["classifier.bias"] = Tensor::zeros({3}, DType::i32); }, whole_numbers);
            }),
            "tensor \"classifier.bias\" has the dtype I32");
  Loaded four(4);
  expect_in(error_of<Error>([&] { load([](auto&) {}, four); }),
            "classifier.bias [3] for [4], classifier.weight [3, 8] for [4, 8]");
}

// Token classification has a classifier of the same name, and no pooler.
TEST_F(Directory, TakesTheClassifierOfSequenceClassificationOnly) {
  write_safetensors(folder_ / "model.safetensors", golden_tensors());
  EXPECT_TRUE(HfWeights(folder_.path()).has_head());
  EXPECT_TRUE(HfWeights(folder_.path(), Architecture::bert, "BertForSequenceClassification").has_head());
  for (const char* other : {"BertForTokenClassification", "BertForMultipleChoice", "BertModel"}) {
    const HfWeights weights(folder_.path(), Architecture::bert, other);
    EXPECT_FALSE(weights.has_head());
    Loaded model;
    const LoadReport report = weights.load(model.store, 1, 0.02F);
    EXPECT_EQ(report.ignored, (std::vector<std::string>{"classifier.bias", "classifier.weight"}));
    EXPECT_EQ(report.initialised, report.ignored);
    EXPECT_EQ(model.sum("classifier.bias"), 0);
  }
  Loaded four(4);
  EXPECT_EQ(HfWeights(folder_.path()).load(four.store, 1, 0.02F, true).loaded, 39) << "a new classifier";
  auto tensors = golden_tensors();
  std::erase_if(tensors, [](const auto& t) { return t.first.starts_with("bert.pooler"); });
  write_safetensors(folder_ / "model.safetensors", tensors);
  EXPECT_FALSE(HfWeights(folder_.path()).has_head());
}

TEST_F(Directory, WeightFilesMustBeThere) {
  Loaded model;
  const auto error = [&] { return error_of<Error>([&] { HfWeights(folder_.path()).load(model.store, 1, 0.02F); }); };
  expect_in(error(), "holds neither model.safetensors nor pytorch_model.bin; expected a Hugging Face directory");
  write_bytes(folder_ / "pytorch_model.bin", "x");
  expect_in(error(), "pytorch_model.bin: is no zip archive");
  const auto index = [&](const std::string& text) {
    write_bytes(folder_ / "model.safetensors.index.json", text);
    return error();
  };
  expect_in(index("{}"), "has no weight_map");
  expect_in(index(R"({"weight_map": {}})"), "has no weight_map");
  expect_in(index(R"({"weight_map": {"a": 1}})"), "the file of a is 1");
  expect_in(index(R"({"weight_map": {"a": "../../etc/passwd"}})"), "expected a name in the same directory");
  expect_in(index(R"({"weight_map": {"a": "model-00001.safetensors"}})"),
            "model-00001.safetensors: cannot be opened: No such file");
  fs::copy(golden / "hf_model_sharded" / "model-00001-of-00002.safetensors", folder_ / "model-00001.safetensors");
  expect_in(error(), "missing (bert.encoder.layer.1.");
  fs::resize_file(folder_ / "model-00001.safetensors", 6000);
  expect_in(error(), "the file is cut off or damaged");
}

}  // namespace
}  // namespace espalier
