// SPDX-License-Identifier: Apache-2.0
// What happens before quantization after training: statistics of inputs, equalisation, bias correction.
#include "compress/quantization/equalize.h"

#include <gtest/gtest.h>

#include <cmath>

#include "compress/quantization/bias_correction.h"
#include "data/models/model_source.h"
#include "nn/integers.h"
#include "tests/golden/golden.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

PackedBatch batch() {
  PackedBatch b;
  b.ids = {2, 9, 8, 3, 2, 5, 8, 7, 11, 3, 2, 12, 3};
  b.segments.assign(13, 0);
  b.offsets = {0, 4, 10, 13};
  return b;
}

struct Watched {
  Watched() {
    for (float& v : model->store.values().span<float>()) v *= 3;  // activations that matter
    statistics.attach(*model->bert, model->store);
    watch();
  }
  void watch() {
    Tape tape;
    Context context{.tape = &tape};
    (*model->bert)(batch(), context);
  }
  std::vector<float> logits() const {
    Context context;
    const Tensor t = (*model->bert)(batch(), context).value;
    return {t.span<float>().begin(), t.span<float>().end()};
  }
  std::unique_ptr<Model> model = open_model("random:mini", {.seed = 4});
  InputStatistics statistics;
};

TEST(InputStatistics, AreMeansAndLargestOfTheTokens) {
  const auto model = open_model("random:tiny");
  InputStatistics statistics;
  statistics.attach(*model->bert, model->store);
  const Linear& linear = model->bert->layers()[0].intermediate;
  const Tensor a = golden::uniform("a", 0, {5, 128}, 2, DType::f32),
               b = golden::uniform("b", 0, {3, 128}, 2, DType::f32);
  Tape tape;
  const Context training{.tape = &tape}, evaluation;
  linear.input({a}, training);
  linear.input({b}, training);
  linear.input({golden::uniform("c", 0, {3, 128}, 9, DType::f32)}, evaluation);  // is not looked at
  const Tensor mean = statistics.mean(linear.weight), largest = statistics.largest(linear.weight);
  for (int64_t i = 0; i < 128; ++i) {
    double sum = 0, most = 0;
    for (const Tensor& x : {a, b})
      for (int64_t t = 0; t < x.rows(); ++t) {
        const auto v = static_cast<double>(x.data<float>()[t * 128 + i]);
        sum += v / 8;
        most = std::max(most, std::abs(v));
      }
    EXPECT_NEAR(mean.data<double>()[i], sum, 1e-12);
    EXPECT_EQ(largest.data<double>()[i], most);
  }
  expect_in(error_of<Error>([&] { statistics.mean(model->bert->layers()[1].output.weight); }), "no input of ");
  statistics.detach();
  EXPECT_TRUE(linear.input_transforms.empty());
}

TEST(Equalize, ChangesNoAnswerAndBalancesTheFeatures) {
  Watched w;
  const auto before = w.logits();
  equalize(*w.model->bert, w.statistics, 0.5);
  const auto after = w.logits();
  for (size_t i = 0; i < before.size(); ++i) EXPECT_NEAR(after[i], before[i], 2e-5);
  w.statistics.forget();
  w.watch();
  const Parameter& weight = w.model->bert->layers()[1].attention_output.weight;
  const Tensor largest = w.statistics.largest(weight);
  for (int64_t i = 0; i < weight.shape[1]; ++i) {  // alpha = 1/2: the largest input is as large as the largest weight
    double most = 0;
    for (int64_t o = 0; o < weight.shape[0]; ++o)
      most = std::max(most, std::abs(static_cast<double>(weight.value.data<float>()[o * weight.shape[1] + i])));
    EXPECT_NEAR(largest.data<double>()[i] / most, 1, 1e-3);
  }
  expect_in(error_of<Error>([&] { equalize(*w.model->bert, w.statistics, 1.5); }), "strength 1.5");
}

TEST(BiasCorrection, TakesTheMeanErrorBack) {
  Watched w;
  const Linear& linear = w.model->bert->layers()[1].intermediate;
  const QuantGrid grid = symmetric_row_grid(linear.weight.value, 3);
  const auto q = std::make_shared<QuantizedWeight>(quantize(linear.weight.value, grid), grid, 3, std::nullopt);
  const Tensor bias = linear.bias.value.clone(), rounded = dequantize(q->q(), grid),
               mean = w.statistics.mean(linear.weight);
  linear.weight.transforms.push_back(std::make_shared<Integers>(q));  // the stored value is the one before
  correct_biases(*w.model->bert, w.statistics);
  double moved = 0;
  for (int64_t o = 0; o < rounded.rows(); ++o) {  // rounded weights and new bias have the old mean output
    double exact = static_cast<double>(bias.data<float>()[o]),
           now = static_cast<double>(linear.bias.value.data<float>()[o]);
    moved = std::max(moved, std::abs(exact - now));
    for (int64_t i = 0; i < rounded.cols(); ++i) {
      exact += static_cast<double>(linear.weight.value.data<float>()[o * rounded.cols() + i]) * mean.data<double>()[i];
      now += static_cast<double>(rounded.data<float>()[o * rounded.cols() + i]) * mean.data<double>()[i];
    }
    EXPECT_NEAR(now, exact, 1e-5);
  }
  EXPECT_GT(moved, 1e-3);
}

}  // namespace
}  // namespace espalier
