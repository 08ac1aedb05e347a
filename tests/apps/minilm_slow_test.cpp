// SPDX-License-Identifier: Apache-2.0
// The programs against Hugging Face on a real encoder and real text: MiniLM-L6 and SST-2, where both are at hand.
// Golden values by tests/golden/minilm.py.
#include <cmath>
#include <cstdlib>
#include <sstream>

#include "data/models/checkpoint.h"
#include "data/models/model_source.h"
#include "tests/apps/program.h"
#include "tests/golden/golden.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

fs::path from_environment(const char* name, const fs::path& otherwise) {
  const char* const value = std::getenv(name);
  return value != nullptr && *value != '\0' ? fs::path(value) : otherwise;
}

class MiniLm : public Programs {
 protected:
  // m.h5: the encoder with the golden values' classifier; sst2: the first 64 rows of dev.tsv as train.tsv and dev.tsv.
  void SetUp() override {
    const fs::path root = fs::path(ESPALIER_TESTS_DIR).parent_path();
    const fs::path encoder = from_environment("ESPALIER_ENCODER", root / "runs/models/minilm-l6"),
                   sst2 = from_environment("ESPALIER_DATA", root / "../shared/data/sst2");
    if (!fs::exists(encoder / "model.safetensors"))
      GTEST_SKIP() << "no MiniLM-L6 in " << encoder << "; ESPALIER_ENCODER names it";
    if (!fs::exists(sst2 / "dev.tsv")) GTEST_SKIP() << "no SST-2 in " << sst2 << "; ESPALIER_DATA names it";
    const auto model = open_model(encoder.string(), {.may_start_head = true});
    if (model->config.hidden_size != 384 || model->config.num_hidden_layers != 6)
      GTEST_SKIP() << encoder << " is another encoder than MiniLM-L6";
    for (const std::string name : {"classifier.weight", "classifier.bias"}) {
      const Parameter* const p = model->store.find(name);
      const Tensor values = golden::uniform(name, 0, p->shape, 0.1, DType::f32);
      std::copy_n(values.data<float>(), values.size(), p->value.data<float>());
    }
    save_checkpoint(*this / "m.h5", model->store, model->contents());

    const auto rows = lines_of(read_bytes(sst2 / "dev.tsv"));
    ASSERT_GT(rows.size(), 64U);
    std::string text = rows[0] + '\n';
    for (size_t i = 1; i <= 64; ++i) {
      text += rows[i] + '\n';
      sentences_ += rows[i].substr(0, rows[i].find('\t')) + '\n';
    }
    fs::create_directory(*this / "sst2");
    for (const char* name : {"sst2/train.tsv", "sst2/dev.tsv"}) write_bytes(*this / name, text);
  }

  // The numbers on each line.
  static std::vector<std::vector<double>> table(const std::string& text) {
    std::vector<std::vector<double>> rows;
    for (const std::string& line : lines_of(text)) {
      std::istringstream numbers(line);
      rows.emplace_back(std::istream_iterator<double>(numbers), std::istream_iterator<double>());
    }
    return rows;
  }

  std::string sentences_;
  const golden::File golden_{"minilm.txt"};
};

TEST_F(MiniLm, TokensAreHuggingFaces) {
  const auto ids = table(succeed("tokenize --model m.h5", {.input = sentences_}).out);
  ASSERT_EQ(ids.size(), 64U);
  for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(ids[i], golden_.at("ids/" + std::to_string(i)));
}

TEST_F(MiniLm, LogitsAreHuggingFaces) {
  succeed("evaluate --model m.h5 --data sst2/dev.tsv --logits logits.tsv --precision f32 --quiet");
  const auto logits = table(bytes("logits.tsv"));
  ASSERT_EQ(logits.size(), 64U);
  for (size_t i = 0; i < logits.size(); ++i) {
    const auto& expected = golden_.at("logits/" + std::to_string(i));
    ASSERT_EQ(logits[i].size(), 2U);
    for (size_t c = 0; c < 2; ++c) EXPECT_NEAR(logits[i][c], expected[c], 1e-5) << "row " << i;
  }
}

TEST_F(MiniLm, TrainingStepsArePyTorchs) {
  for (const char* batches : {"--batch-size 8", "--batch-size 2 --accumulate 4"}) {
    succeed(
        "train_sst2 --model m.h5 --data sst2 --output out.h5 --shuffle false --dropout 0 --learning-rate 5e-5 "
        "--schedule constant --warmup 0 --epochs 1 --precision f32 --quiet --log-dir log " +
        std::string(batches));
    const auto lines = objects_of(bytes("log/metrics.jsonl"));
    const auto &losses = golden_.at("losses"), &norms = golden_.at("gradient_norms");
    ASSERT_EQ(lines.size(), losses.size() + 1);
    for (size_t i = 0; i < losses.size(); ++i) {
      EXPECT_NEAR(lines[i]["loss"].get<double>() / losses[i], 1, 1e-4) << batches << ", step " << i + 1;
      EXPECT_NEAR(lines[i]["grad_norm"].get<double>() / norms[i], 1, 1e-4) << batches << ", step " << i + 1;
    }
  }
}

}  // namespace
}  // namespace espalier
