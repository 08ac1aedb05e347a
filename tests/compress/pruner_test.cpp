// SPDX-License-Identifier: Apache-2.0
// Pruner against torch.nn.utils.prune, its structures and schedules, and the laws of training with it.
#include "compress/pruner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "data/model_source.h"
#include "optim/adamw.h"
#include "tests/golden/golden.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
const fs::path hf = fs::path(ESPALIER_TESTS_DIR) / "golden" / "hf_model";

PackedBatch batch_of(const std::vector<int32_t>& ids) {
  PackedBatch batch;
  batch.ids = ids;
  batch.segments.assign(ids.size(), 0);
  batch.offsets = {0, static_cast<int32_t>(ids.size())};
  batch.labels = {1};
  return batch;
}

std::vector<float> logits(const Model& model, const std::vector<int32_t>& ids) {
  Context context;
  const Var y = (*model.bert)(batch_of(ids), context);
  const auto values = y.value.span<float>();
  return {values.begin(), values.end()};
}

void expect_golden(const Model& model, const std::string& name) {
  static const golden::File file("pruning.txt");
  for (const EncoderLayer& layer : model.bert->layers())
    for (const Linear* linear : layer.linears()) {
      const auto bits = mask_of(linear->weight).bits().span<uint8_t>();
      const std::vector<double> found(bits.begin(), bits.end());
      EXPECT_EQ(found, file.at(name + "/" + linear->weight.name)) << name << ' ' << linear->weight.name;
    }
  const auto texts = nlohmann::json::parse(read_bytes(hf / "expected.json"))["texts"];
  ASSERT_EQ(texts.size(), 4U);
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto found = logits(model, texts[i]["ids"].get<std::vector<int32_t>>());
    const auto& wanted = file.at(name + "/logits" + std::to_string(i));
    ASSERT_EQ(found.size(), wanted.size());
    for (size_t c = 0; c < wanted.size(); ++c) EXPECT_NEAR(found[c], wanted[c], 1e-5) << name << i;
  }
}

TEST(Pruner, AgreesWithPyTorch) {
  for (const double amount : {0.3, 0.77})
    for (const std::string scope : {"layer", "global"}) {
      const auto model = open_model(hf.string());
      Pruner pruner({.amount = amount, .scope = scope});
      pruner.attach(*model->bert, model->store);
      pruner.before_forward(0);
      expect_golden(*model, scope + (amount == 0.3 ? "0.3" : "0.77"));
    }
}

TEST(Pruner, GivenMasksAgreeWithPyTorch) {
  const auto model = open_model(hf.string());
  for (const EncoderLayer& layer : model->bert->layers())
    for (const Linear* linear : layer.linears()) {
      const Parameter& p = linear->weight;
      const Tensor numbers = golden::uniform(p.name, 5, p.shape), bits = Mask::bits_of(p.shape, false);
      for (int64_t i = 0; i < p.shape.size(); ++i)
        if (numbers.data<double>()[i] > -0.8) bits.data<uint8_t>()[i / 8] |= static_cast<uint8_t>(1U << (i % 8));
      mask_of(linear->weight).set(bits);
    }
  expect_golden(*model, "given");
}

// Masks of a pruner by options on the small model.
struct Pruned {
  explicit Pruned(const PruneOptions& options) : model(open_model(hf.string())), pruner(options) {
    pruner.attach(*model->bert, model->store);
    pruner.before_forward(options.schedule.begin);
  }
  const Mask& mask(const std::string& name) const { return mask_of(model->store.at("bert.encoder.layer." + name)); }
  const Parameter& parameter(const std::string& name) const { return model->store.at("bert.encoder.layer." + name); }
  std::unique_ptr<Model> model;
  Pruner pruner;
};

TEST(Pruner, ReachesTheAmountToOneWeight) {
  for (const std::string method : {"magnitude", "random"})
    for (const double amount : {0.0, 0.5, 0.801, 0.99}) {
      const Pruned each({.method = method, .amount = amount});
      int64_t kept = 0, all = 0;
      for (const Pool& pool : each.pruner.pools()) {
        const Mask& mask = mask_of(*pool.members[0].parameter);
        EXPECT_EQ(mask.size() - mask.kept(), count_of(amount, mask.size())) << pool.name;
      }
      const Pruned global({.method = method, .amount = amount, .scope = "global"});
      for (const Pool& pool : global.pruner.pools()) {
        kept += mask_of(*pool.members[0].parameter).kept();
        all += pool.units;
      }
      EXPECT_EQ(all - kept, count_of(amount, all));
    }
}

TEST(Pruner, RandomDependsOnTheSeedOnly) {
  const Pruned a({.method = "random", .amount = 0.5, .seed = 1}), b({.method = "random", .amount = 0.5, .seed = 1}),
      c({.method = "random", .amount = 0.5, .seed = 2});
  const auto bits = [](const Pruned& p) {
    const auto s = p.mask("0.output.dense.weight").bits().span<uint8_t>();
    return std::vector<uint8_t>(s.begin(), s.end());
  };
  EXPECT_EQ(bits(a), bits(b));
  EXPECT_NE(bits(a), bits(c));
}

TEST(Pruner, TwoOfFourKeepsTheLargestOfEachFour) {
  const Pruned p({.structure = "2:4"});
  const Parameter& w = p.parameter("1.intermediate.dense.weight");
  const Mask& mask = p.mask("1.intermediate.dense.weight");
  for (int64_t first = 0; first < w.shape.size(); first += 4) {
    float least_kept = 1e9F, most_pruned = 0;
    int kept = 0;
    for (int64_t i = first; i < first + 4; ++i) {
      const float size = std::abs(w.value.data<float>()[i]);
      kept += mask.keeps(i) ? 1 : 0;
      (mask.keeps(i) ? least_kept : most_pruned) =
          mask.keeps(i) ? std::min(least_kept, size) : std::max(most_pruned, size);
    }
    EXPECT_EQ(kept, 2);
    EXPECT_GE(least_kept, most_pruned);
  }
}

TEST(Pruner, BlocksGoAsAWholeByTheirSum) {
  const Pruned p({.amount = 0.5, .structure = "block:4x2"});
  const Parameter& w = p.parameter("0.output.dense.weight");
  const Mask& mask = p.mask("0.output.dense.weight");
  double least_kept = 1e9, most_pruned = 0;
  int64_t pruned = 0;
  const int64_t cols = w.shape[1];
  for (int64_t r = 0; r < w.shape[0]; r += 4)
    for (int64_t c = 0; c < cols; c += 2) {
      double sum = 0;
      int kept = 0;
      for (int64_t i = 0; i < 8; ++i) {
        const int64_t at = (r + i / 2) * cols + c + i % 2;
        sum += std::abs(static_cast<double>(w.value.data<float>()[at]));
        kept += mask.keeps(at) ? 1 : 0;
      }
      ASSERT_TRUE(kept == 0 || kept == 8);
      pruned += kept == 0 ? 1 : 0;
      if (kept == 0)
        most_pruned = std::max(most_pruned, sum);
      else
        least_kept = std::min(least_kept, sum);
    }
  EXPECT_EQ(pruned, count_of(0.5, w.shape.size() / 8));
  EXPECT_GE(least_kept, most_pruned - 1e-6);
}

TEST(Pruner, HeadsGoWithAllTheirMatricesAndBiases) {
  const Pruned p({.amount = 0.5, .structure = "head", .layers = {"bert.encoder.layer.1.*"}});
  ASSERT_EQ(p.pruner.pools().size(), 1U) << "the pattern names one layer";
  const BertConfig& c = p.model->config;
  const int64_t size = c.head_size(), hidden = c.hidden_size;
  int64_t pruned = 0;
  for (int64_t h = 0; h < c.num_attention_heads; ++h) {
    const bool kept = p.mask("1.attention.self.query.bias").keeps(h * size);
    pruned += kept ? 0 : 1;
    for (int64_t d = h * size; d < (h + 1) * size; ++d)
      for (int64_t i = 0; i < hidden; ++i) {
        for (const std::string part : {"query", "key", "value"}) {
          EXPECT_EQ(p.mask("1.attention.self." + part + ".weight").keeps(d * hidden + i), kept);
          EXPECT_EQ(p.mask("1.attention.self." + part + ".bias").keeps(d), kept);
        }
        EXPECT_EQ(p.mask("1.attention.output.dense.weight").keeps(i * hidden + d), kept);
      }
  }
  EXPECT_EQ(pruned, count_of(0.5, c.num_attention_heads));
}

TEST(Pruner, NeuronsGoWithBothMatricesAndTheLastOneStays) {
  const Pruned p({.amount = 0.75, .structure = "neuron"});
  const int64_t width = p.model->config.intermediate_size, hidden = p.model->config.hidden_size;
  int64_t pruned = 0;
  for (int64_t n = 0; n < width; ++n) {
    const bool kept = p.mask("0.intermediate.dense.bias").keeps(n);
    pruned += kept ? 0 : 1;
    for (int64_t i = 0; i < hidden; ++i) {
      EXPECT_EQ(p.mask("0.intermediate.dense.weight").keeps(n * hidden + i), kept);
      EXPECT_EQ(p.mask("0.output.dense.weight").keeps(i * width + n), kept);
    }
  }
  EXPECT_EQ(pruned, count_of(0.75, width));
  expect_in(error_of<Error>([] { const Pruned all({.amount = 0.999, .structure = "neuron"}); }), "at most");
}

TEST(Pruner, PruningTwiceCombines) {
  const auto model = open_model(hf.string());
  Pruner first({.method = "random", .amount = 0.4}), second({.amount = 0.6});
  first.attach(*model->bert, model->store);
  first.before_forward(0);
  Parameter& w = model->store.at("bert.encoder.layer.0.output.dense.weight");
  const Tensor before = mask_of(w).bits().clone();
  second.attach(*model->bert, model->store);
  second.before_forward(0);
  for (int64_t i = 0; i < w.shape.size(); ++i)
    EXPECT_TRUE((before.data<uint8_t>()[i / 8] >> (i % 8) & 1) != 0 || !mask_of(w).keeps(i)) << "pruned stays pruned";
  EXPECT_EQ(w.shape.size() - mask_of(w).kept(), count_of(0.6, w.shape.size())) << "the amount is of the whole tensor";
}

TEST(PruneSchedule, CubicAndLinearRiseFromInitialToFullAndFreeze) {
  const PruneSchedule cubic{.kind = "cubic", .initial = 0.2, .begin = 10, .end = 31, .interval = 10},
      linear{.kind = "linear", .begin = 0, .end = 20, .interval = 5};
  EXPECT_DOUBLE_EQ(cubic.amount(0.8, 10), 0.2);
  EXPECT_DOUBLE_EQ(cubic.amount(0.8, 31), 0.8);
  EXPECT_DOUBLE_EQ(cubic.amount(0.8, 20), 0.8 - 0.6 * std::pow(11.0 / 21, 3));
  EXPECT_DOUBLE_EQ(linear.amount(0.8, 5), 0.2);
  std::vector<int64_t> due;
  for (int64_t step = 0; step < 100; ++step)
    if (cubic.due(step)) due.push_back(step);
  EXPECT_EQ(due, (std::vector<int64_t>{10, 20, 30, 31})) << "the last one is at the end";
  EXPECT_FALSE(cubic.complete(31));
  EXPECT_TRUE(cubic.complete(32));
}

// A little training run; the state is saved and loaded into a new model before step `stop`.
std::vector<float> trained(int64_t stop, const PruneOptions& options, double& sparsity) {
  const TemporaryFolder folder;
  const fs::path path = folder / "state.h5";
  std::unique_ptr<Model> model;
  std::unique_ptr<AdamW> optimizer;
  std::unique_ptr<Pruner> pruner;
  const auto begin = [&] {
    model = open_model(hf.string());
    optimizer = std::make_unique<AdamW>(model->store, AdamWOptions{.weight_decay = 0.1});
    pruner = std::make_unique<Pruner>(options);
    pruner->attach(*model->bert, model->store);
  };
  begin();
  for (int64_t step = 0; step < 12; ++step) {
    if (step == stop) {
      const TrainingState state;
      save_checkpoint(path, model->store, model->contents(), optimizer.get(), &state,
                      [&](const Hdf5Group& root) { pruner->save(root.create_group("pruner")); });
      begin();
      const Checkpoint saved(path);
      saved.load_weights(model->store);
      saved.load_optimizer(*optimizer, model->store);
      pruner->load(saved.root().group("pruner"));
    }
    pruner->before_forward(step);
    const PackedBatch batch = batch_of({2, static_cast<int32_t>(5 + step % 4), 8, 7, 3});
    Tape tape;
    Context context{.tape = &tape, .training = true, .seed = 3, .step = static_cast<uint64_t>(step)};
    tape.backward(ops::cross_entropy((*model->bert)(batch, context), batch.labels, 1));
    pruner->after_backward(step);
    optimizer->step(1e-2, 1);
    pruner->after_step(step);
  }
  sparsity = pruner->sparsity();
  for (const Pool& pool : pruner->pools())
    for (const Member& member : pool.members) {
      const Tensor seen = member.parameter->use({}).value;
      for (int64_t i = 0; i < seen.size(); ++i)
        EXPECT_TRUE(mask_of(*member.parameter).keeps(i) || seen.data<float>()[i] == 0);
    }
  const auto values = model->store.values().span<float>();
  std::vector<float> all(values.begin(), values.end());
  for (const float v : logits(*model, {2, 5, 8, 7, 3})) all.push_back(v);
  return all;
}

TEST(Pruner, ResumedTrainingHasTheSameBits) {
  for (const std::string method : {"magnitude", "taylor", "wanda", "movement", "soft-movement"}) {
    const bool soft = method == "soft-movement";
    const PruneOptions options{.method = method,
                               .amount = soft ? 0.4 : 0.7,
                               .scope = soft ? "layer" : "global",
                               .schedule = {.kind = "cubic", .begin = 2, .end = 9, .interval = 3},
                               .score_rate = 0.1,
                               .regularization = soft ? 10.0 : 0.0};
    double sparsity = 0, resumed = 0;
    const auto whole = trained(-1, options, sparsity);
    if (soft)
      EXPECT_TRUE(sparsity > 0.01 && sparsity < 0.99) << sparsity;
    else
      EXPECT_NEAR(sparsity, 0.7, 1e-3);
    for (const int64_t stop : {1, 3, 9, 11}) {
      EXPECT_EQ(trained(stop, options, resumed), whole) << method << " stopped before step " << stop;
      EXPECT_EQ(resumed, sparsity);
    }
  }
}

TEST(Criterion, TaylorIsTheSumOfAbsoluteProductsOverTheSteps) {
  ParameterStore store;
  Parameter& p = Scope(store).parameter("w", {2, 3}, Role::weight);
  store.allocate(1, 1);
  store.make_gradients();
  const auto taylor = taylor_criterion();
  taylor->attach(*open_model(hf.string())->bert, std::vector<Parameter*>{&p});
  for (const float g : {2.0F, -3.0F}) {
    p.grad.written = true;
    for (float& v : p.grad.grad.span<float>()) v = g;
    taylor->after_backward();
  }
  p.grad.written = false;
  taylor->after_backward();
  for (int64_t i = 0; i < 6; ++i)
    EXPECT_FLOAT_EQ(taylor->scores(p).data<float>()[i], 5 * std::abs(p.value.data<float>()[i])) << i;
}

// The score of a weight rises when the loss pushes it away from zero, whether it is masked or not.
TEST(Criterion, MovementScoresFollowTheStraightThroughGradient) {
  ParameterStore store;
  Parameter& p = Scope(store).parameter("w", {2, 8}, Role::weight);
  store.allocate(1, 1);
  const Tensor half = Tensor::of<uint8_t>({2}, std::vector<uint8_t>{0x55, 0x55});
  const auto movement = movement_criterion({.learning_rate = 0.25});
  movement->attach(*open_model(hf.string())->bert, std::vector<Parameter*>{&p});
  mask_of(p).set(half);
  const Tensor g = golden::uniform("g", 0, p.shape, 2, DType::f32);
  Tape tape;
  const Var w = p.use({.tape = &tape});
  tape.backward(w, g);
  movement->after_backward();
  movement->after_step();
  for (int64_t i = 0; i < 16; ++i) {
    const float direction = g.data<float>()[i] * p.value.data<float>()[i];  // AdamW's first step is the rate
    EXPECT_NEAR(movement->scores(p).data<float>()[i], direction > 0 ? -0.25 : 0.25, 1e-4) << i;
  }
  movement->finish();
  Tape later;
  const size_t before = later.size();
  p.use({.tape = &later});
  EXPECT_EQ(later.size() - before, 2U) << "the weight and its mask, no scores";
}

// |w| times the norms of the inputs over two batches: a closed form of what the first layer's query, key and value see.
TEST(Criterion, WandaIsTheWeightTimesTheNormOfItsInput) {
  const auto model = open_model(hf.string());
  const EncoderLayer& layer = model->bert->layers()[0];
  const auto wanda = wanda_criterion();
  wanda->attach(*model->bert, std::vector<Parameter*>{&layer.key.weight, &layer.output.weight});
  const std::vector<std::vector<int32_t>> batches = {{2, 5, 8, 7, 3}, {2, 9, 3}};
  std::vector<double> squares(static_cast<size_t>(model->config.hidden_size));
  for (const auto& ids : batches) {
    Tape tape;
    Context context{.tape = &tape}, without;
    (*model->bert)(batch_of(ids), context);
    (*model->bert)(batch_of({2, 6, 6, 3}), without);  // an evaluation is not looked at
    const Tensor x =
        ops::embedding(batch_of(ids).ids, batch_of(ids).segments, batch_of(ids).offsets,
                       model->store.at("bert.embeddings.word_embeddings.weight").use({}),
                       model->store.at("bert.embeddings.position_embeddings.weight").use({}),
                       model->store.at("bert.embeddings.token_type_embeddings.weight").use({}),
                       model->store.at("bert.embeddings.LayerNorm.weight").use({}),
                       model->store.at("bert.embeddings.LayerNorm.bias").use({}), model->config.layer_norm_eps)
            .value;
    for (int64_t i = 0; i < x.size(); ++i)
      squares[static_cast<size_t>(i % x.cols())] += std::pow(static_cast<double>(x.data<float>()[i]), 2);
  }
  const Tensor scores = wanda->scores(layer.key.weight);
  for (int64_t i = 0; i < scores.size(); ++i)
    EXPECT_NEAR(scores.data<float>()[i],
                std::abs(layer.key.weight.value.data<float>()[i]) *
                    std::sqrt(squares[static_cast<size_t>(i % layer.key.weight.shape.cols())]),
                1e-5)
        << i;
  expect_in(error_of<Error>([&] {
              wanda_criterion()->attach(*model->bert,
                                        std::vector<Parameter*>{&model->store.at("bert.pooler.dense.weight")});
            }),
            "wanda knows the inputs of the encoder's linear layers only, not of bert.pooler.dense.weight");
}

// The regulariser alone pulls every score down, and a threshold takes what falls below it.
TEST(Criterion, SoftMovementPullsScoresDown) {
  ParameterStore store;
  Parameter& p = Scope(store).parameter("w", {2, 8}, Role::weight);
  store.allocate(1, 1);
  const auto movement = movement_criterion({.learning_rate = 0.5, .soft = true, .regularization = 16});
  movement->attach(*open_model(hf.string())->bert, std::vector<Parameter*>{&p});
  Tape tape;
  const Var w = p.use({.tape = &tape});
  const Tensor g = Tensor::zeros(p.shape);
  g.data<float>()[3] = -100 / p.value.data<float>()[3];  // this one's loss gradient wins: gs = -100 + 16 / 16 / 4
  tape.backward(w, g);
  movement->after_backward();
  movement->after_step();
  for (int64_t i = 0; i < 16; ++i) EXPECT_NEAR(movement->scores(p).data<float>()[i], i == 3 ? 0.5 : -0.5, 1e-4) << i;
}

TEST(Pruner, RowScopeTakesTheSameShareOfEachRow) {
  const Pruned each({.amount = 0.3, .scope = "row"});
  for (const Pool& pool : each.pruner.pools()) {
    const Parameter& p = *pool.members[0].parameter;
    for (int64_t r = 0; r < p.shape.rows(); ++r) {
      int64_t pruned = 0;
      float smallest_kept = INFINITY, largest_pruned = 0;
      for (int64_t i = r * p.shape.cols(); i < (r + 1) * p.shape.cols(); ++i) {
        const bool kept = mask_of(*pool.members[0].parameter).keeps(i);
        pruned += !kept;
        const float size = std::abs(p.value.data<float>()[i]);
        (kept ? smallest_kept : largest_pruned) = kept ? std::min(smallest_kept, size) : std::max(largest_pruned, size);
      }
      EXPECT_EQ(pruned, count_of(0.3, p.shape.cols()));
      EXPECT_LE(largest_pruned, smallest_kept);
    }
  }
}

bool same_masks(const PrunedMasks& a, const PrunedMasks& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
    return x.first == y.first &&
           std::ranges::equal(x.second.template span<uint8_t>(), y.second.template span<uint8_t>());
  });
}

TEST(Pruner, PrunedCheckpointPredictsAsTheMaskedModelAndKeepsItsZerosInTraining) {
  const TemporaryFolder folder;
  const fs::path path = folder / "pruned.h5";
  Pruned p({.amount = 0.8});
  const auto masked = logits(*p.model, {2, 5, 8, 7, 3});
  p.model->pruned = masks_of(p.model->store);
  save_checkpoint(path, p.model->store, p.model->contents());
  EXPECT_NE(p.parameter("0.output.dense.weight").value.data<float>()[0], 0) << "the stored values are as they were";

  const auto again = open_model(path.string());
  EXPECT_EQ(logits(*again, {2, 5, 8, 7, 3}), masked);
  EXPECT_TRUE(same_masks(again->pruned, p.model->pruned));
  EXPECT_FALSE(Hdf5File::open(path).root().contains("masks")) << "the stored zeros tell";

  p.pruner.finalize(p.model->store);
  EXPECT_EQ(logits(*p.model, {2, 5, 8, 7, 3}), masked) << "finalize changes no prediction";
}

// A kept weight that is zero by itself, and the file of a run that resumes, whose stored values are not masked.
TEST(Pruner, MasksThatTheZerosDoNotTellAreStored) {
  const TemporaryFolder folder;
  const fs::path path = folder / "state.h5";
  Pruned p({.amount = 0.5});
  const std::string name = "bert.encoder.layer.0.output.dense.weight";
  const Parameter& w = p.model->store.at(name);
  int64_t kept = 0;
  while (!mask_of(p.model->store.at(name)).keeps(kept)) ++kept;
  w.value.data<float>()[kept] = 0;
  p.model->pruned = masks_of(p.model->store);
  save_checkpoint(path, p.model->store, p.model->contents());
  EXPECT_EQ(Hdf5File::open(path).root().group("masks").names(), std::vector<std::string>{name});
  EXPECT_TRUE(same_masks(open_model(path.string())->pruned, p.model->pruned));

  const AdamW optimizer(p.model->store, {});
  const TrainingState state;
  save_checkpoint(path, p.model->store, p.model->contents(), &optimizer, &state);
  const auto again = open_model(path.string());
  EXPECT_TRUE(same_masks(again->pruned, p.model->pruned));
  EXPECT_EQ(logits(*again, {2, 5, 8, 7, 3}), logits(*p.model, {2, 5, 8, 7, 3}));
}

TEST(Pruner, PatternsNameParametersAndOneThatNamesNoneIsAnError) {
  const Pruned p({.amount = 0.5, .layers = {"bert.encoder.layer.0.*dense.weight", "classifier.weight"}});
  std::vector<std::string> names;
  for (const Pool& pool : p.pruner.pools()) names.push_back(pool.name);
  EXPECT_EQ(names, (std::vector<std::string>{"weights of bert.encoder.layer.0.attention.output.dense.weight",
                                             "weights of bert.encoder.layer.0.intermediate.dense.weight",
                                             "weights of bert.encoder.layer.0.output.dense.weight",
                                             "weights of classifier.weight"}));
  expect_in(error_of<Error>([] {
              const Pruned none({.amount = 0.5, .layers = {"*", "bert.encoder.layer.9.*"}});
            }),
            "the layer pattern 'bert.encoder.layer.9.*' matches no parameter");
  expect_in(error_of<Error>([] { const Pruned none({.amount = 0.5, .structure = "head", .layers = {"pooler*"}}); }),
            "'pooler*' matches no matrix of attention heads");
  EXPECT_TRUE(matches("*.layer.1*.weight", "bert.encoder.layer.11.output.dense.weight"));
  EXPECT_FALSE(matches("*.layer.1.*.weight", "bert.encoder.layer.11.output.dense.weight"));
  EXPECT_FALSE(matches("bert", "bert.encoder"));
}

TEST(PruneOptions, MistakesAreOneClearLine) {
  const auto error = [](const PruneOptions& options) { return error_of<Error>([&] { options.check("--"); }); };
  expect_in(error({.amount = 1}), "--amount 1: a share in [0, 1) is expected");
  expect_in(error({}), "--amount -1");
  expect_in(error({.amount = std::nan("")}), "--amount nan");
  expect_in(error({.method = "best", .amount = 0.5}),
            "method 'best': choose magnitude, random, taylor, wanda, movement or");
  expect_in(error({.amount = 0.5, .structure = "4:2"}), "N below M");
  expect_in(error({.amount = 0.5, .structure = "block:0x4"}), "structure 'block:0x4': choose weight");
  expect_in(error({.amount = 0.5, .structure = "2:4"}), "--amount 0.5: the structure 2:4 is an amount by itself");
  expect_in(error({.structure = "2:4", .scope = "global"}), "--scope global");
  expect_in(error({.amount = 0.5, .scope = "rows"}), "--scope rows: choose layer, global or row");
  expect_in(error({.amount = 0.5, .structure = "head", .scope = "row"}), "--scope row: is for single weights");
  expect_in(error({.amount = 0.5, .regularization = 1}), "--regularization 1: is for soft-movement only");
  expect_in(error({.method = "soft-movement", .amount = 0.5, .scope = "global", .schedule = {.begin = 1}}),
            "--method soft-movement: is a threshold for each unit by itself");
  expect_in(error({.amount = 0.5, .layer_limit = 0.5}), "--layer-limit 0.5: is for global ranking");
  expect_in(error({.amount = 0.5, .schedule = {.kind = "square"}}), "--schedule square");
  expect_in(error({.method = "movement", .amount = 0.5}),
            "--begin 0: movement learns its scores from the steps before");
  expect_in(error({.method = "taylor", .amount = 0.5, .schedule = {.kind = "cubic", .initial = 0.2, .end = 5}}),
            "--initial 0.2: taylor knows nothing yet at step 0");
  expect_in(error({.amount = 0.5, .score_rate = 0}), "--score-rate 0");
  expect_in(error({.amount = 0.5, .schedule = {.kind = "cubic", .begin = 5, .end = 5}}), "--end 5");
  expect_in(error({.amount = 0.5, .schedule = {.kind = "cubic", .initial = 0.6, .end = 5}}), "--initial 0.6");
  expect_in(error({.amount = 0.5, .schedule = {.kind = "cubic", .end = 5, .interval = 0}}), "--interval 0");
  const auto model = open_model(hf.string());
  const auto shape_error = [&](const std::string& structure, double amount, std::vector<std::string> layers = {}) {
    Pruner pruner({.amount = amount, .structure = structure, .layers = std::move(layers)});
    return error_of<Error>([&] { pruner.attach(*model->bert, model->store); });
  };
  expect_in(shape_error("3:7", -1), "3:7 does not divide bert.encoder.layer.0.attention.self.query.weight");
  expect_in(shape_error("block:7x2", 0.5), "blocks of 7x2 do not divide");
  expect_in(shape_error("2:4", -1, {"*.bias"}), "is no matrix");
}

}  // namespace
}  // namespace espalier
