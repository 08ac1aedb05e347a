// SPDX-License-Identifier: Apache-2.0
#include "apps/reporting/training_curves.h"

#include "apps/reporting/short_names.h"
#include "core/check.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

TEST(TrainingCurves, AreMeansOfSteps) {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 1; i <= 240; ++i)
    text += "{\"epoch\":" + std::to_string(i / 120.0) + ",\"loss\":" + std::to_string(i % 2) +
            ",\"step\":" + std::to_string(i) + "}\n" +
            (i % 120 == 0 ? "{\"epoch\":" + std::to_string(i / 120) + ",\"eval_loss\":0.25,\"step\":1}\n" : "");
  write_bytes(folder / "metrics.jsonl", text + "{\"epoch\":2,\"los");
  const TrainingCurves curves = read_training_curves(folder / "metrics.jsonl", "a");
  EXPECT_EQ(curves.name, "a");
  ASSERT_EQ(curves.training.size(), 120U);
  for (const CurvePoint& p : curves.training) EXPECT_EQ(p.value, 0.5);
  ASSERT_EQ(curves.evaluation.size(), 2U) << "the line that was cut off does not count";
  EXPECT_EQ(curves.evaluation[1].epoch, 2);
  EXPECT_EQ(curves.evaluation[1].value, 0.25);
}

TEST(TrainingCurves, AreFoundBesideTheModel) {
  const TemporaryFolder folder;
  for (const char* name : {"dense", "logs"}) {
    std::filesystem::create_directory(folder / name);
    write_bytes(folder / name / "metrics.jsonl", "{\"epoch\":1,\"loss\":0.5}\n");
  }
  const std::string dense = folder / "dense.h5", other = folder / "other.h5";
  const auto curves = curves_of({(folder / "logs").string() + "/"}, {dense, other}, {"my dense", "other"});
  ASSERT_EQ(curves.size(), 2U);
  EXPECT_EQ(curves[0].name, "logs");
  EXPECT_EQ(curves[1].name, "my dense");
  EXPECT_EQ(curves[1].colour, 0U) << "the model's";
  EXPECT_EQ(curves[0].colour, 2U);
}

TEST(TrainingCurves, RefuseOtherFiles) {
  const TemporaryFolder folder;
  const std::string path = folder / "metrics.jsonl";
  const auto error = [&](const std::string& text) {
    write_bytes(path, text);
    return error_of<Error>([&] { read_training_curves(path, "a"); });
  };
  EXPECT_EQ(error("{\"epoch\":1,\"loss\":2}\n{\"a\":1}\n"),
            path + ", line 2: has no epoch and loss; expected the log of a training (--log-dir)");
  EXPECT_EQ(error(""), path + ": is empty; expected the log of a training (--log-dir)");
  expect_in(error("words\n"), path + ", line 1");
  expect_in(error_of<Error>([&] { curves_of({"nowhere"}, {}, {}); }), "nowhere/metrics.jsonl");
}

TEST(ShortNames, AreDistinctEndings) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(short_names({"runs/dense.h5", "runs/int8.h5"}), (Names{"dense", "int8"}));
  EXPECT_EQ(short_names({"a/1/m.h5", "a/2/m.h5", "models/bert/"}), (Names{"1/m", "2/m", "bert"}));
  EXPECT_EQ(short_names({"m.h5", "m.h5"}), (Names{"m", "m (2)"}));
  EXPECT_EQ(short_names({"random:tiny"}), (Names{"random:tiny"}));
}

}  // namespace
}  // namespace espalier
