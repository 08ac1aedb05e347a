// SPDX-License-Identifier: Apache-2.0
// Teachers: several are one, what they say is kept in files, and they are compared with the student before they teach.
#include "compress/distillation/teacher.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/compress/distillation/distilling.h"

namespace espalier {
namespace {

using Teachers = Distilling;

TEST_F(Teachers, GiveTheMeanOfTheirLogits) {
  const Teacher both({path("teacher.h5"), path("other.h5")}, DType::f32), other({path("other.h5")}, DType::f32);
  const Tensor mean = both.logits(data_), b = other.logits(data_);
  for (int64_t i = 0; i < mean.size(); ++i)
    EXPECT_NEAR(mean.data<float>()[i], (logits_.data<float>()[i] + b.data<float>()[i]) / 2, 1e-6);
  EXPECT_NE(both.fingerprint(), other.fingerprint());
}

TEST_F(Teachers, LogitsAreKeptInAFileOfTheirOwn) {
  const auto file = folder_ / "cache.h5";
  int calls = 0;
  const auto count = [&](int64_t, int64_t) { ++calls; };
  const auto same = [&](const Tensor& t) {
    for (int64_t i = 0; i < t.size(); ++i) EXPECT_EQ(t.data<float>()[i], logits_.data<float>()[i]);
  };
  same(cached_logits(*teacher_, data_, file, count));
  EXPECT_EQ(calls, 1);
  same(cached_logits(*teacher_, data_, file, count));
  EXPECT_EQ(calls, 1) << "computed once";
  const Teacher other({path("other.h5")}, DType::f32);
  expect_in(error_of<Error>([&] { cached_logits(other, data_, file); }),
            "cache.h5: holds the answers of another teacher");
  data_.ids[1] = 10;
  expect_in(error_of<Error>([&] { cached_logits(*teacher_, data_, file); }),
            "cache.h5: holds the answers to other sentences");
}

TEST_F(Teachers, KeptLogitsThatAreNoNumbersAreRefused) {
  const auto file = folder_ / "cache.h5";
  const Tensor bad = logits_.clone();
  bad.data<float>()[1] = std::nanf("");
  {
    Hdf5File cache = Hdf5File::create(file, file.string());
    CacheKey(*teacher_, data_).write(cache);
    cache.root().write("logits", bad);
    cache.close();
  }
  expect_in(error_of<Error>([&] { cached_logits(*teacher_, data_, file); }),
            "cache.h5: the logits hold a NaN or an infinity");
}

TEST_F(Teachers, StatesAreKeptInAFileToo) {
  const auto file = folder_ / "states.h5";
  int calls = 0;
  const auto open = [&](const Teacher& teacher, const StateParts& parts) {
    return TeacherStates(teacher, data_, parts, file, [&](int64_t, int64_t) { ++calls; });
  };
  const StateParts parts = {.hidden = {0, 2}, .qkv = {3}};
  const Loader loader(data_, {.batch_size = 2, .seed = 3});
  for (const DType compute : {DType::f32, DType::bf16}) {
    std::filesystem::remove(file);
    const Teacher teacher({path("teacher.h5")}, compute);
    for (int time = 0; time < 2; ++time) {
      calls = 0;
      const TeacherStates states = open(teacher, parts);
      EXPECT_EQ(calls, 1 - time) << "computed once";
      for (int64_t i = 0; i < loader.batches(); ++i) {
        const PackedBatch batch = loader.epoch(0).batch(i);
        const Activations kept = states.inside(batch), computed = teacher.inside(batch);
        const double tolerance =
            compute == DType::f32 ? 1e-4 : 0.1;  // batches of another length round in another place
        const auto same = [&](const Var& a, const Var& b) {
          ASSERT_EQ(a.shape(), b.shape());
          ASSERT_EQ(a.dtype(), b.dtype());
          const Tensor x = a.value.to(DType::f32), y = b.value.to(DType::f32);
          for (int64_t j = 0; j < x.size(); ++j) ASSERT_NEAR(x.data<float>()[j], y.data<float>()[j], tolerance);
        };
        for (const size_t part : {0, 2}) same(kept.hidden[part], computed.hidden[part]);
        same(kept.qkv[3], computed.qkv[3]);
        EXPECT_FALSE(kept.hidden[1].value) << "not asked for";
      }
    }
  }
  expect_in(error_of<Error>([&] { open(*teacher_, parts); }), "states.h5: holds the answers of another teacher");
  const Teacher teacher({path("teacher.h5")}, DType::bf16);
  expect_in(error_of<Error>([&] { open(teacher, {.hidden = {1}, .qkv = {}}); }), "states.h5: lacks 'hidden 1'");

  const auto student = open_model(path("other.h5"));
  std::vector<double> losses;
  for (const bool keep : {false, true}) {
    Distiller::KeepStates states;
    if (keep)
      states = [&](const StateParts& wanted) {
        EXPECT_EQ(wanted.hidden, (std::set<int64_t>{0, 1, 2, 3, 4}));
        EXPECT_EQ(wanted.qkv, (std::set<int64_t>{0, 1, 2, 3}));
        return std::make_unique<TeacherStates>(*teacher_, data_, wanted, folder_ / "all.h5");
      };
    Distiller distiller({.hidden_weight = 1, .attention_weight = 1, .relation_weight = 1, .embedding_weight = 1},
                        teacher_, logits_, 0, states);
    distiller.attach(*student->bert, student->store);
    losses.push_back(step(*student, distiller));
  }
  EXPECT_NEAR(losses[0], losses[1], 1e-5 * losses[0]);
}

TEST_F(Teachers, ThatReadOtherTokensOrHaveOtherLabelsAreRefused) {
  const auto student = open_model(path("other.h5"));
  teacher_->check(*student, 128);
  const auto other_labels = open_model("random:mini", {.labels = {{"bad", "good"}}});
  expect_in(error_of<Error>([&] { teacher_->check(*other_labels, 128); }),
            "its labels are negative, positive, the student's bad, good");
  auto tokens = student->tokenizer.vocabulary();
  std::swap(tokens[20], tokens[21]);
  const Model swapped(student->config, Tokenizer(tokens, student->tokenizer.options()));
  expect_in(error_of<Error>([&] { teacher_->check(swapped, 128); }), "token 20 of its vocabulary is");
  TokenizerOptions cased = student->tokenizer.options();
  cased.lowercase = false;
  const Model other_case(student->config, Tokenizer(student->tokenizer.vocabulary(), cased));
  expect_in(error_of<Error>([&] { teacher_->check(other_case, 128); }), "treats text in another way");
  expect_in(error_of<Error>([&] { teacher_->check(*student, 100000); }), "--max-length is 100000");
}

}  // namespace
}  // namespace espalier
