// SPDX-License-Identifier: Apache-2.0
// Edge files answer with the bits of the models that they were made of, and no file that is wrong is taken.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <functional>
#include <limits>
#include <random>

#include "apps/inference/classifier.h"
#include "apps/inference/edge_classifier.h"
#include "apps/inference/espalier.h"
#include "core/checksum.h"
#include "core/kernels/isa.h"
#include "data/edge/edge_export.h"
#include "data/edge/edge_layout.h"
#include "data/edge/edge_writer.h"
#include "nn/integers.h"
#include "tests/inference/models.h"

namespace espalier {
namespace {

using Make = std::function<std::unique_ptr<Model>()>;

std::unique_ptr<Model> tiny(const std::string& head = "classification") {
  return open_model("random:tiny", {.seed = 3, .labels = std::vector<std::string>{"a", "b", "c"}, .head = head});
}

// Integers for all linear layers of the encoder and for the pooler, on one grid for all inputs; `table`: for the word
// embeddings, too.
std::unique_ptr<Model> with_integers(int bits, const std::optional<QuantGrid>& input, bool blocks, bool table) {
  auto model = tiny();
  std::vector<Linear*> linears = model->bert->head().quantizable();
  for (EncoderLayer& layer : model->bert->layers())
    for (Linear* linear : layer.linears()) linears.push_back(linear);
  for (Linear* linear : linears) {
    Parameter& w = linear->weight;
    for (int64_t i = 0; blocks && i < w.value.size(); ++i)
      if ((i / w.shape[1] / 32 + i % w.shape[1] / 32) % 2 == 0) w.value.data<float>()[i] = 0;
    auto [q, grid] = quantize_rows(w.value, bits);
    set_integers(w, std::make_shared<QuantizedWeight>(q, grid, bits, input));
  }
  Parameter& words = model->bert->encoder().word_embeddings();
  if (table) {
    auto [q, grid] = quantize_rows(words.value, bits);
    set_integers(words, std::make_shared<QuantizedWeight>(q, grid, bits, std::nullopt, false));
  }
  return model;
}

class EdgeFiles : public testing::Test {
 protected:
  // Answers of both, for texts and pairs, on every instruction set.
  void expect_same_answers(const Make& make) {
    const std::vector<std::string> lines = texts_of(12, 150);
    std::vector<Text> texts;
    texts.reserve(lines.size() + 1);
    for (const std::string& line : lines) texts.push_back({line});
    texts.push_back({"the film", "is not good"});
    export_edge(*make(), path_);
    for (const std::string& isa : kernels::available_isas()) {
      kernels::set_isa(isa);
      const EdgeClassifier edge{EdgeFile(path_)};
      const Classifier whole(make());
      const std::vector<Answer> expected = whole.classify(texts), found = edge.classify(texts);
      ASSERT_EQ(found.size(), expected.size());
      for (size_t i = 0; i < texts.size(); ++i) {
        EXPECT_EQ(found[i].label, expected[i].label) << isa;
        EXPECT_EQ(found[i].probabilities, expected[i].probabilities) << isa << ": " << texts[i].first;
        EXPECT_EQ(found[i].values, expected[i].values) << isa;
      }
      EXPECT_EQ(edge.model().labels(), whole.labels());
      EXPECT_EQ(edge.max_length(), whole.max_length());
    }
    kernels::set_isa("");
  }

  TemporaryFolder folder_;
  std::string path_ = (folder_ / "model.edge").string();
};

TEST_F(EdgeFiles, AnswerWithTheBitsOfEveryTask) {
  for (const std::string head : {"classification", "multi-label", "regression"})
    expect_same_answers([&] { return tiny(head); });
}

TEST_F(EdgeFiles, AnswerWithTheBitsOfIntegers) {
  const QuantGrid affine = affine_grid(-1.5F, 2.5F, 8), symmetric = symmetric_grid(3.0F, 8);
  expect_same_answers([&] { return with_integers(8, affine, false, true); });
  expect_same_answers([&] { return with_integers(8, symmetric, true, false); });
  expect_same_answers([&] { return with_integers(4, std::nullopt, true, true); });
  expect_same_answers([&] { return with_integers(6, std::nullopt, false, false); });
}

TEST_F(EdgeFiles, LeaveZeroBlocksOutAndHalveFourBits) {
  const auto bytes = [&](int bits, bool blocks) {
    return export_edge(*with_integers(bits, std::nullopt, blocks, true), path_).bytes;
  };
  const int64_t eight = bytes(8, false), blocks = bytes(8, true), four = bytes(4, false);
  const int64_t weights = 2 * (4 * 128 * 128 + 2 * 128 * 512) + 128 * 128;  // of two layers and the pooler
  EXPECT_NEAR(static_cast<double>(eight - blocks), static_cast<double>(weights) / 2, 0.05 * weights);
  EXPECT_GT(eight - four, weights / 2);
}

TEST_F(EdgeFiles, AreOpenedBehindTheCInterface) {
  export_edge(*tiny(), path_);
  espalier_classifier* model = nullptr;
  ASSERT_EQ(espalier_open(path_.c_str(), nullptr, &model), ESPALIER_OK) << espalier_error();
  std::array<double, 3> scores{};
  EXPECT_EQ(espalier_classify(model, "a film", 6, scores.data(), nullptr), ESPALIER_OK);
  EXPECT_EQ(std::vector<double>(scores.begin(), scores.end()), Classifier(tiny()).classify("a film").probabilities);
  espalier_close(model);
}

TEST_F(EdgeFiles, RefuseWhatDoesNotFit) {
  const auto write = [&](const std::string& name, const Tensor& tensor) {  // instead of, or beside, what is there
    const EdgeFile whole(path_);
    EdgeWriter writer;
    bool found = false;
    for (const auto& [section, contents] : whole.sections()) {
      found |= section == name;
      if (section != name || tensor) writer.add(section, section == name ? tensor : contents);
    }
    if (!found) writer.add(name, tensor);
    writer.write(folder_ / "changed.edge");
  };
  const auto expect_refused = [&](const std::string& part) {
    expect_in(error_of<Error>([&] { EdgeModel{EdgeFile(folder_ / "changed.edge")}; }), part);
  };
  export_edge(*with_integers(8, affine_grid(-1, 1, 8), true, true), path_);
  const std::string query = "bert.encoder.layer.1.attention.self.query.weight";
  write("classifier.bias", {});
  expect_refused("has no section 'classifier.bias'");
  write("classifier.bias", Tensor::zeros({4}));
  expect_refused("section 'classifier.bias' has the shape [4], expected [3]");
  write("classifier.bias", Tensor::zeros({3}, DType::i32));
  expect_refused("section 'classifier.bias' is i32[3], expected f32");
  write("rotary", Tensor::zeros({3}));
  expect_refused("has the section 'rotary', which this program does not know; a newer one may");
  write("heads", Tensor::zeros({2}, DType::i32));
  expect_refused("do not say how many heads");
  write(query + ".scales", Tensor::zeros({128}));
  expect_refused(".scales' holds 0; expected positive numbers");
  write(query + ".input_grid", Tensor::zeros({4}));
  expect_refused(".input_grid' is no grid of 8 bits");
  write(query + ".input_grid", {});
  expect_refused("query, key and value read the same input in different ways");
  write(query + ".firsts", Tensor::zeros({5}, DType::i32));
  expect_refused("are not in order");
  const Tensor bias = EdgeFile(path_).tensor("classifier.bias", DType::f32, 1).clone();
  bias.data<float>()[1] = std::numeric_limits<float>::quiet_NaN();
  write("classifier.bias", bias);
  expect_refused("section 'classifier.bias' holds nan at 1; expected finite numbers");
  const Tensor index = EdgeFile(path_).tensor(query + ".index", DType::i32, 1).clone();
  index.data<int32_t>()[3] = 1 << 20;
  write(query + ".index", index);
  expect_refused("are not in order below 32");
  const Tensor quads = EdgeFile(path_).tensor(query + ".quads", DType::i32, 2).clone();
  quads.data<int32_t>()[5] = 0x80;  // -128
  write(query + ".quads", quads);
  expect_refused("holds integers outside -127");
  write("vocabulary", Tensor::zeros({9}, DType::u8));
  expect_refused("token 0 of the vocabulary is empty");
  const std::string task = "poetry";
  write("task", Tensor::of<uint8_t>({7}, std::span(reinterpret_cast<const uint8_t*>(task.c_str()), 7)));
  expect_refused("does not name a task that this program knows");
}

// Bytes that were changed with a checksum that fits: they may be a model or a mistake, and nothing else.
TEST_F(EdgeFiles, BearAnyBytes) {
  export_edge(*open_model(golden_model), path_);
  const std::string whole = read_bytes(path_);
  std::mt19937 random(3);
  int taken = 0;
  for (int round = 0; round < 400; ++round) {
    std::string bytes = whole;
    for (int i = round % 3; i >= 0; --i) bytes[64 + random() % (bytes.size() - 64)] = static_cast<char>(random());
    const uint64_t sum = checksum(std::string_view(bytes).substr(64));
    std::copy_n(reinterpret_cast<const char*>(&sum), sizeof sum, bytes.begin() + offsetof(EdgeHeader, checksum));
    try {
      const EdgeClassifier model{EdgeFile(std::as_bytes(std::span(bytes)), nullptr, "the model")};
      const Text text = {"the film is not good"};
      taken += static_cast<int>(model.classify(std::span(&text, 1)).size());
    } catch (const Error&) {}
  }
  EXPECT_GT(taken, 20);
}

}  // namespace
}  // namespace espalier
