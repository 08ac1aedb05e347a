// SPDX-License-Identifier: Apache-2.0
// The smallest and the largest that programs take: tokens, sentences, labels, rows, rates, weights.
#include <cmath>
#include <functional>
#include <iterator>
#include <sstream>

#include "data/models/model_source.h"
#include "data/text/loader.h"
#include "tests/apps/program.h"

namespace espalier {
namespace {

const std::string header = "sentence\tlabel\n";

class Limits : public Programs {
 protected:
  const std::string tiny_ = "train_sst2 --model random:tiny --vocab vocab.txt --data data --dropout 0 --precision f32 ";

  void both(const std::string& rows) const {
    for (const char* name : {"data/train.tsv", "data/dev.tsv"}) write_bytes(*this / name, header + rows);
  }
  nlohmann::json evaluate(const std::string& model, const std::string& more = "") const {
    return json("evaluate --model " + model + " --data data/dev.tsv " + more);
  }
  double first_loss(const std::string& train) const {
    succeed(tiny_ + train + " --max-steps 1 --quiet --overwrite --output first.h5 --log-dir log");
    return objects_of(bytes("log/metrics.jsonl")).at(0)["loss"].get<double>();
  }
  std::vector<double> logits(const std::string& model, const std::string& more = "") const {
    succeed("evaluate --model " + model + " --data data/dev.tsv --logits l.tsv --overwrite --quiet " + more);
    std::istringstream text(bytes("l.tsv"));
    return {std::istream_iterator<double>(text), {}};
  }
};

void expect_near(const std::vector<double>& a, const std::vector<double>& b, double most) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], most) << i;
}

TEST_F(Limits, ABatchOfOneToken) {
  const auto model = open_model("random:tiny");
  const auto sentence = [](const std::vector<int32_t>& ids) {
    TokenizedDataset data;
    data.ids = ids;
    data.first_lengths = {static_cast<int32_t>(ids.size())};
    data.offsets = {0, std::ssize(ids)};
    return data;
  };
  const TokenizedDataset one = sentence({2});
  TokenizedDataset more = one;
  append(more, sentence({2, 7, 9, 8, 3}));
  Context context;
  const Tensor alone = (*model->bert)(pack(one, std::vector<int64_t>{0}), context).value;
  const Tensor beside = (*model->bert)(pack(more, std::vector<int64_t>{0, 1}), context).value;
  for (int64_t c = 0; c < 2; ++c) EXPECT_NEAR(alone.data<float>()[c], beside.data<float>()[c], 1e-6);
}

TEST_F(Limits, FourThousandSentencesABatch) {
  write_bytes(*this / "data/train.tsv", header + reviews(4096, 4));
  const double whole = first_loss("--batch-size 4096");
  EXPECT_NEAR(first_loss("--batch-size 64 --accumulate 64"), whole, 1e-5);
  both(reviews(4096, 4));
  const auto large = evaluate("first.h5", "--batch-size 4096"), small = evaluate("first.h5");
  EXPECT_EQ(large["eval_accuracy"], small["eval_accuracy"]);
  EXPECT_NEAR(large["eval_loss"].get<double>(), small["eval_loss"].get<double>(), 1e-6);
}

TEST_F(Limits, FiveHundredTwelveTokens) {
  std::string cut, whole;
  for (int i = 0; i < 700; ++i) (i < 510 ? cut : whole) += i % 3 == 0 ? "good " : "film ";
  both(cut + whole + "\t1\nbad\t0\n");
  EXPECT_GT(first_loss("--max-length 512"), 0);
  const auto longer = logits("first.h5", "--max-length 512");
  both(cut + "\t1\nbad\t0\n");
  EXPECT_EQ(logits("first.h5", "--max-length 512"), longer) << "what is beyond is cut off";
  expect_refused("evaluate --model first.h5 --data data/dev.tsv --max-length 513", {"513", "512"});
}

TEST_F(Limits, TwoToAThousandLabels) {
  for (const int labels : {2, 1000}) {
    std::string names = "L0", rows = "a film .\t0\n";
    for (int i = 1; i < labels; ++i) {
      names += ",L" + std::to_string(i);
      rows += "a film .\t" + std::to_string(i) + "\n";
    }
    both(rows);
    EXPECT_NEAR(first_loss("--batch-size 1000 --labels " + names), std::log(labels), 0.1);  // none is preferred yet
    const auto found = evaluate("first.h5");
    EXPECT_NEAR(found["eval_accuracy"].get<double>(), 1.0 / labels, 1e-9) << "one of them is right";
    expect_in(succeed("predict --model first.h5 film").out, "L");
  }
  expect_refused(tiny_ + "--output o.h5 --labels one", {"--labels one: at least two class names are expected"});
}

TEST_F(Limits, OneRowAndOneClass) {
  for (const std::string rows : {"good\t1\n", "good\t1\nbad\t1\nfilm\t1\n"}) {
    both(rows);
    const auto found = json(tiny_ + "--epochs 40 --learning-rate 1e-2 --overwrite --evaluate-every 40 --output o.h5");
    EXPECT_EQ(found["eval_accuracy"], 1.0);
    EXPECT_LT(found["eval_loss"], 0.3);
    expect_in(succeed("predict --model o.h5 good").out, "positive");
  }
}

// The rate rises from zero: the first step changes nothing, the third one meets what the second one has done.
TEST_F(Limits, ARateThatDiverges) {
  expect_refused(tiny_ + "--learning-rate 1e30 --warmup 1 --evaluate-every 1 --batch-size 8 --quiet --output o.h5",
                 {"nan", "after step 2", "the last good checkpoint is kept", "--learning-rate"}, {}, 1);
  EXPECT_TRUE(std::isfinite(evaluate("o.h5")["eval_loss"].get<double>()));
  EXPECT_FALSE(exists("o.h5.lock") || exists("o.state.h5"));
}

class LimitsOfWeights : public Limits {
 protected:
  // random:tiny with its parameters changed.
  void write(const std::string& name, const std::function<void(const std::string&, float&)>& change) const {
    const auto model = open_model("random:tiny", {.vocabulary = *this / "vocab.txt"});
    for (Parameter* p : model->store.all())
      for (float& value : p->value.span<float>()) change(p->name, value);
    save_checkpoint(*this / name, model->store, model->contents());
  }
};

TEST_F(LimitsOfWeights, ALayerThatIsAllPruned) {
  write("zero.h5", [](const std::string& name, float& value) {
    if (name.starts_with("bert.encoder.layer.1.") && name.find("LayerNorm") == std::string::npos) value = 0;
  });
  const auto whole = logits("zero.h5");
  ASSERT_EQ(whole.size(), 40U);
  for (const double value : whole) EXPECT_TRUE(std::isfinite(value));
  succeed("prune --model zero.h5 --shrink --output shrunk.h5 --quiet");
  expect_near(logits("shrunk.h5"), whole, 1e-5);
  succeed("quantize --model zero.h5 --mode dynamic --output int8.h5 --quiet");
  expect_near(logits("int8.h5"), whole, 0.02);
  for (const double value : logits("zero.h5", "--precision bf16")) EXPECT_TRUE(std::isfinite(value));
  const auto trained = json("train_sst2 --model zero.h5 --data data --max-steps 2 --output t.h5");
  EXPECT_TRUE(std::isfinite(trained["eval_loss"].get<double>()));
}

// Numbers below 1.2e-38 are computed with, not flushed to zero: all kernels and threads agree.
TEST_F(LimitsOfWeights, Denormals) {
  write("plain.h5", [](const std::string&, float&) {});
  write("denormal.h5", [](const std::string& name, float& value) {
    if (name.find("layer") != std::string::npos && name.find("LayerNorm") == std::string::npos) value *= 1e-38F;
  });
  const auto one = logits("denormal.h5", "--threads 1");
  EXPECT_EQ(logits("denormal.h5", "--threads 2"), one);
  for (const double value : one) EXPECT_TRUE(std::isfinite(value));
  const auto seconds = [&](const std::string& model) {
    return evaluate(model, "--threads 1")["eval_runtime"].get<double>();
  };
  EXPECT_LT(seconds("denormal.h5"), 100 * seconds("plain.h5") + 0.1);
  const std::string train =
      "train_sst2 --model denormal.h5 --data data --max-steps 3 --quiet --learning-rate 1e-30 --output ";
  for (const std::string threads : {"1", "2"}) succeed(train + "t" + threads + ".h5 --threads " + threads);
  EXPECT_TRUE(bytes("t1.h5") == bytes("t2.h5"));
}

}  // namespace
}  // namespace espalier
