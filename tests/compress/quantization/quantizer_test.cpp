// SPDX-License-Identifier: Apache-2.0
// Quantization of a whole model: fake-quant and integers give the same answers; files, pruning and batches.
#include "compress/quantization/quantizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "compress/pruning/pruner.h"
#include "core/kernels/isa.h"
#include "tests/compress/quantization/quantizing.h"
#include "tests/golden/golden.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

void forward(const Model& model, Quantizer& quantizer, int64_t step) {
  quantizer.before_forward(step);
  Tape tape;
  Context context{.tape = &tape};
  (*model.bert)(batch_of(sentences), context);
}

// A model with fake-quant whose ranges were found on the sentences.
struct Quantized {
  explicit Quantized(const QuantizeOptions& options, double pruned = 0)
      : model(open_model("random:mini", {.seed = 4})), quantizer(with_schedule(options)) {
    if (pruned > 0) {
      Pruner pruner({.amount = pruned});
      pruner.attach(*model->bert, model->store);
      pruner.before_forward(0);
    }
    dense = logits(*model);
    quantizer.attach(*model->bert, model->store);
    forward(*model, quantizer, 0);
    if (options.learned)
      forward(*model, quantizer, 1);  // scales learn from their first batch
    else
      quantizer.before_forward(1);
  }
  static QuantizeOptions with_schedule(QuantizeOptions options) {
    options.begin = options.freeze = 1;
    return options;
  }
  std::unique_ptr<Model> model;
  Quantizer quantizer;
  std::vector<float> dense;
};

void expect_near(const std::vector<float>& a, const std::vector<float>& b, double share) {
  ASSERT_EQ(a.size(), b.size());
  float largest = 0;
  for (const float v : b) largest = std::max(largest, std::abs(v));
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], share * static_cast<double>(largest)) << i;
}

TEST(Quantizer, ASentencesLogitsDoNotDependOnItsBatch) {
  for (const QuantizeOptions& options :
       {QuantizeOptions{.mode = InputRanges::dynamic, .embedding_bits = 8}, QuantizeOptions{.observer = "minmax"}}) {
    Quantized q(options);
    q.quantizer.convert();
    for (const std::string& isa : kernels::available_isas()) {
      kernels::set_isa(isa);
      q.model->bert->set_compute(DType::f32, Use::inference);
      std::vector<std::vector<int32_t>> many;
      for (int i = 0; i < 40; ++i) {
        many.push_back(sentences[static_cast<size_t>(i) % sentences.size()]);
        many.back().insert(many.back().end() - 1, static_cast<size_t>(i), 7 + i);
      }
      const auto together = logits(*q.model, many);
      for (size_t i = 0; i < many.size(); ++i)
        EXPECT_TRUE(std::ranges::equal(logits(*q.model, {many[i]}), std::span(together).subspan(2 * i, 2)))
            << isa << ' ' << i;
    }
    kernels::set_isa("");
  }
}

TEST(Quantizer, IntegersAnswerAsFakeQuantAndReloadAsIntegers) {
  const TemporaryFolder folder;
  const QuantizeOptions all[] = {{.mode = InputRanges::dynamic},
                                 {.observer = "minmax"},
                                 {.observer = "moving-average", .embedding_bits = 8},
                                 {.observer = "percentile", .bits = 4, .embedding_bits = 4},
                                 {.observer = "histogram", .bits = 3},
                                 {.learned = true}};
  for (const QuantizeOptions& options : all) {
    SCOPED_TRACE(text_of(options.mode) + ' ' + options.observer->name + ' ' + std::to_string(options.bits));
    Quantized q(options);
    const auto fake = logits(*q.model);
    EXPECT_NE(fake, q.dense);
    q.quantizer.before_evaluation();
    const auto evaluated = logits(*q.model);
    q.quantizer.after_evaluation();
    EXPECT_EQ(logits(*q.model), fake);
    EXPECT_EQ(evaluated, fake);
    Tape tape;
    Context training{.tape = &tape};
    const Tensor taped = (*q.model->bert)(batch_of(sentences), training).value;
    EXPECT_TRUE(std::ranges::equal(taped.span<float>(), fake)) << "training sees what the file will answer";
    q.quantizer.convert();
    const auto integers = logits(*q.model);
    EXPECT_EQ(integers, fake) << "bit by bit";
    if (options.bits == 8 && options.embedding_bits == 32 && !options.learned) expect_near(integers, q.dense, 0.1);
    save_checkpoint(folder / "m.h5", q.model->store, q.model->contents());
    const auto again = open_model((folder / "m.h5").string());
    EXPECT_EQ(logits(*again), integers);
    const EncoderLayer& layer = again->bert->layers()[1];
    for (const Linear* linear : layer.linears()) {
      const auto weight = as<QuantizedWeight>(linear->form());
      ASSERT_NE(weight, nullptr) << linear->weight.name;
      EXPECT_EQ(weight->bits(), options.bits);
    }
    save_checkpoint(folder / "again.h5", again->store, again->contents());
    EXPECT_TRUE(read_bytes(folder / "m.h5") == read_bytes(folder / "again.h5"));
  }
}

TEST(Quantizer, FilesShrinkWithTheBits) {
  const TemporaryFolder folder;
  const auto size = [&](const QuantizeOptions& options, double pruned) {
    Quantized q(options, pruned);
    q.quantizer.convert();
    save_checkpoint(folder / "m.h5", q.model->store, q.model->contents());
    return static_cast<double>(std::filesystem::file_size(folder / "m.h5"));
  };
  const auto model = open_model("random:mini", {.seed = 4});
  save_checkpoint(folder / "dense.h5", model->store, model->contents());
  const auto dense = static_cast<double>(std::filesystem::file_size(folder / "dense.h5"));
  const double whole = size({.embedding_bits = 8}, 0), four = size({.bits = 4, .embedding_bits = 4}, 0),
               sparse = size({.embedding_bits = 8}, 0.8);
  EXPECT_LT(whole, 0.30 * dense);
  EXPECT_LT(four, 0.65 * whole);
  EXPECT_LT(sparse, whole);
}

TEST(Quantizer, PrunedWeightsAreZeroIntegers) {
  for (const int bits : {8, 4}) {
    Quantized q({.bits = bits}, 0.6);
    std::map<std::string, Tensor> masks = masks_of(q.model->store);
    ASSERT_EQ(masks.size(), 24U);
    for (const auto& [name, weight] : integers_of(*q.model)) {
      const auto mask = masks.find(name);
      if (mask == masks.end()) continue;
      for (int64_t i = 0; i < weight->q().size(); ++i) {
        const bool kept = (mask->second.data<uint8_t>()[i / 8] >> (i % 8) & 1) != 0;
        ASSERT_TRUE(kept || weight->q().data<int8_t>()[i] == 0) << name << ' ' << i;
      }
    }
  }
}

// The answer to a sentence does not depend on the others in its batch.
TEST(Quantizer, AnswersDoNotDependOnTheBatch) {
  for (const InputRanges mode : {InputRanges::fixed, InputRanges::dynamic}) {
    Quantized q({.mode = mode});
    q.quantizer.convert();
    const auto together = logits(*q.model);
    for (size_t i = 0; i < sentences.size(); ++i) {
      const auto alone = logits(*q.model, {sentences[i]});
      for (size_t c = 0; c < 2; ++c) EXPECT_NEAR(alone[c], together[2 * i + c], 1e-6) << text_of(mode) << i;
    }
  }
}

TEST(Quantizer, FrozenRangesDoNotMove) {
  Quantized q({.observer = "minmax"});
  const auto before = integers_of(*q.model);
  for (float& v : q.model->store.at("bert.embeddings.LayerNorm.bias").value.span<float>()) v += 3;  // larger inputs
  forward(*q.model, q.quantizer, 2);
  for (const auto& [name, weight] : integers_of(*q.model)) {
    const QuantGrid &then = *before.at(name)->input(), &now = *weight->input();
    EXPECT_EQ(*now.scale.data<float>(), *then.scale.data<float>()) << name;
    EXPECT_EQ(*now.zero_point.data<int32_t>(), *then.zero_point.data<int32_t>()) << name;
  }
}

TEST(Quantizer, SymmetricRangesHaveZeroInTheMiddle) {
  Quantized affine({.observer = "minmax"}), q({.observer = "minmax", .symmetric = true});
  const auto others = integers_of(*affine.model);
  for (const auto& [name, weight] : integers_of(*q.model)) {
    const QuantGrid &grid = *weight->input(), &other = *others.at(name)->input();
    EXPECT_EQ(*grid.zero_point.data<int32_t>(), 0) << name;
    EXPECT_EQ(grid.low, -127);
    EXPECT_EQ(grid.high, 127);
    EXPECT_GE(*grid.scale.data<float>() * 127, *other.scale.data<float>() * 127) << name;
  }
  const auto fake = logits(*q.model);
  q.quantizer.convert();
  EXPECT_EQ(logits(*q.model), fake);
}

// What has its own range is never clamped: value and gradient are those of the op.
TEST(Quantizer, WeightsAreFakeQuantWithTheStraightThroughGradient) {
  const Tensor w = golden::uniform("w", 0, {40, 33}, 3, DType::f32),
               g = golden::uniform("g", 0, {40, 33}, 1, DType::f32);
  std::fill_n(w.data<float>() + 66, 33, 0.0F);
  for (const int bits : {2, 4, 8}) {
    const auto run = [&](const auto& transform) {
      Tape tape;
      LeafGrad grad;
      const Var y = transform(tape.leaf(w, grad), tape);
      tape.backward(y, g);
      return std::pair{y.value, grad.grad};
    };
    WeightFakeQuant transform(bits, std::make_shared<InputFakeQuant>(nullptr));
    const auto [y, gw] = run([&](const Var& v, Tape& tape) { return transform.apply(v, {.tape = &tape}); });
    const auto [wanted, wanted_gw] =
        run([&](const Var& v, Tape&) { return ops::fake_quant(v, symmetric_row_grid(w, bits)); });
    EXPECT_TRUE(std::ranges::equal(y.span<float>(), wanted.span<float>())) << bits;
    EXPECT_TRUE(std::ranges::equal(gw.span<float>(), wanted_gw.span<float>())) << bits;
  }
}

TEST(Quantizer, LearnedScalesBeginWhereThePaperSays) {
  const Tensor x = Tensor::of<float>({2, 3}, std::vector<float>{1, -2, 3, 0, 5, -1});
  EXPECT_FLOAT_EQ(first_scale(x, 8), static_cast<float>(2 * 2 / std::sqrt(127.0)));
  EXPECT_FLOAT_EQ(first_scale(x, 3), static_cast<float>(2 * 2 / std::sqrt(3.0)));
  EXPECT_EQ(first_scale(Tensor::zeros({2, 3}), 8), 1);
  x.data<float>()[4] = std::nanf("");
  EXPECT_THROW(first_scale(x, 8), Error);
}

TEST(Quantizer, MistakesAreErrors) {
  const auto check = [](const QuantizeOptions& options) { return error_of<Error>([&] { options.check(); }); };
  expect_in(error_of<Error>([] { const QuantizeOptions unknown{.observer = "median"}; }),
            "median: choose minmax, moving-average, percentile or histogram");
  expect_in(check({.bits = 9}), "--bits 9: 2 to 8 are expected");
  expect_in(check({.bits = 1}), "--bits 1");
  expect_in(check({.embedding_bits = 16}), "--embedding-bits 16: choose 32, 8 or 4");
  expect_in(check({.mode = InputRanges::dynamic, .learned = true}), "--learned true");
  expect_in(check({.scale_rate = 0}), "--scale-rate 0");
  expect_in(check({.mode = InputRanges::dynamic, .symmetric = true}), "--symmetric true");
  expect_in(check({.begin = -1}), "--begin -1");
  expect_in(check({.freeze = 0}), "--freeze 0");

  auto model = open_model("random:tiny");
  Quantizer unknown({.keep_f32 = {"bert.encoder.layer.7.*"}});
  expect_in(error_of<Error>([&] { unknown.attach(*model->bert, model->store); }),
            "'bert.encoder.layer.7.*' matches no");
  model = open_model("random:tiny");
  Quantizer blind({});
  blind.attach(*model->bert, model->store);
  expect_in(error_of<Error>([&] { blind.convert(); }), "no input was observed; calibrate first");
  model = open_model("random:tiny");
  model->store.at("bert.encoder.layer.0.output.dense.weight").value.data<float>()[5] = std::nanf("");
  Quantizer broken({.mode = InputRanges::dynamic});
  expect_in(error_of<Error>([&] { broken.attach(*model->bert, model->store); }),
            "bert.encoder.layer.0.output.dense.weight holds a NaN or an infinity");
  model = open_model("random:tiny");
  model->store.at("classifier.bias").value.data<float>()[1] = HUGE_VALF;
  Quantizer elsewhere({.mode = InputRanges::dynamic});
  expect_in(error_of<Error>([&] { elsewhere.attach(*model->bert, model->store); }), "classifier.bias holds a NaN");
  model = open_model("random:tiny");
  Quantizer nothing({.keep_f32 = {"*"}});
  expect_in(error_of<Error>([&] { nothing.attach(*model->bert, model->store); }), "nothing would be quantized");
  model = open_model("random:tiny");
  Quantizer once({.mode = InputRanges::dynamic}), twice({.mode = InputRanges::dynamic});
  once.attach(*model->bert, model->store);
  once.convert();
  expect_in(error_of<Error>([&] { twice.attach(*model->bert, model->store); }), "is int8 already");
  expect_in(error_of<Error>([&] { require_f32(*model, "pruning"); }), "is int8; pruning needs f32 weights");
}

TEST(Quantizer, KeepsWhatItIsToldToKeep) {
  Quantized q({.keep_f32 = {"bert.encoder.layer.0.attention.self.key.weight", "bert.pooler.*"}});
  const auto integers = integers_of(*q.model);
  EXPECT_EQ(integers.count("bert.encoder.layer.0.attention.self.query.weight"), 0U) << "shares the key's input";
  EXPECT_EQ(integers.count("bert.pooler.dense.weight"), 0U);
  EXPECT_EQ(integers.count("bert.encoder.layer.1.attention.self.query.weight"), 1U);
}

}  // namespace
}  // namespace espalier
