// SPDX-License-Identifier: Apache-2.0
// Each problem_type on the golden directory against transformers: loss, gradient and metrics.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "data/models/model_source.h"
#include "tests/golden/golden.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const fs::path hf = fs::path(ESPALIER_TESTS_DIR) / "golden" / "hf_model";

class HfHeads : public testing::TestWithParam<std::pair<const char*, std::vector<const char*>>> {};

TEST_P(HfHeads, LossAndGradientAreThoseOfTransformers) {
  const auto& [problem, labels] = GetParam();
  const TemporaryFolder folder;
  for (const char* name : {"model.safetensors", "vocab.txt"}) fs::copy(hf / name, folder / name);
  Json config = Json::parse(read_bytes(hf / "config.json"));
  config["problem_type"] = problem;
  write_bytes(folder / "config.json", config.dump());
  const auto model = open_model(folder.path().string());
  model->bert->set_dropout(0);

  PackedBatch batch;
  batch.offsets = {0};
  const Json texts = Json::parse(read_bytes(hf / "expected.json"))["texts"];
  for (const Json& text : texts) {
    const auto ids = text["ids"].get<std::vector<int32_t>>();
    batch.ids.insert(batch.ids.end(), ids.begin(), ids.end());
    batch.offsets.push_back(static_cast<int32_t>(batch.ids.size()));
    const Label label = model->bert->head().read_label(labels[batch.labels.size()]);
    batch.labels.push_back(label.number);
    batch.values.insert(batch.values.end(), label.values.begin(), label.values.end());
  }
  batch.segments.assign(batch.ids.size(), 0);

  const auto golden = golden::File("heads.txt").at(problem);
  model->store.make_gradients();
  Tape tape;
  Context context{.tape = &tape, .training = true};
  const Var logits = (*model->bert)(batch, context);
  const Var loss = model->bert->head().loss(logits, batch, 4);
  tape.backward(loss);
  EXPECT_NEAR(*loss.value.data<float>(), golden[0], 2e-6 * golden[0]);
  for (size_t c = 0; c < 3; ++c)
    EXPECT_NEAR(model->store.at("classifier.bias").grad.grad.data<float>()[c], golden[1 + c], 2e-6);
  const Metrics metrics = model->bert->head().metrics(model->bert->head().scores(logits.value, batch));
  EXPECT_NEAR(metrics.loss, golden[0], 2e-6 * golden[0]);
  EXPECT_EQ(config_to_json(model->config)["problem_type"], problem);
}

INSTANTIATE_TEST_SUITE_P(
    All, HfHeads,
    testing::Values(std::pair{"single_label_classification", std::vector{"negative", "2", "neutral", "positive"}},
                    std::pair{"regression", std::vector{"0.5 -1 2", "0,0.25,-3", "1, 1, 1", "-0.75 +4 0"}},
                    std::pair{"multi_label_classification",
                              std::vector{"neutral,positive", "", "1 0 0", "negative neutral positive"}}),
    [](const auto& task) { return std::string(task.param.first); });

}  // namespace
}  // namespace espalier
