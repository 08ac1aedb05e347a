// SPDX-License-Identifier: Apache-2.0
// espalier.h: the same answers as Classifier's; every mistake is a code and a text.
#include "apps/inference/espalier.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

#include "apps/inference/classifier.h"
#include "tests/inference/models.h"

namespace espalier {
namespace {

class CInterface : public testing::Test {
 protected:
  CInterface() { EXPECT_EQ(espalier_open(golden_model.c_str(), nullptr, &handle_), ESPALIER_OK) << espalier_error(); }
  ~CInterface() override { espalier_close(handle_); }

  // Expects that code, and that the text says so.
  static void expect_mistake(int code, const std::string& part) {
    EXPECT_EQ(code, ESPALIER_MISTAKE) << part;
    expect_in(espalier_error(), part);
  }

  espalier_classifier* handle_ = nullptr;
};

TEST_F(CInterface, AnswersAsClassifierDoes) {
  EXPECT_STREQ(espalier_version(), "0.1.0");
  EXPECT_STREQ(espalier_task(handle_), "classification");
  ASSERT_EQ(espalier_label_count(handle_), 3U);
  const Classifier classifier(golden_model);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(espalier_label_name(handle_, i), classifier.labels()[i]);
  std::array<double, 3> scores{};
  const auto expect_answer = [&](int label, const Answer& answer) {
    EXPECT_EQ(std::vector<double>(scores.begin(), scores.end()), answer.probabilities);
    EXPECT_EQ(espalier_label_name(handle_, static_cast<size_t>(label)), answer.label);
  };
  int label = -2;
  EXPECT_EQ(espalier_classify(handle_, "the film, cut", 8, scores.data(), &label), ESPALIER_OK);
  expect_answer(label, classifier.classify("the film"));
  EXPECT_EQ(espalier_classify_pair(handle_, "the film", 8, "is good", 7, scores.data(), &label), ESPALIER_OK);
  expect_answer(label, classifier.classify("the film", "is good"));
  EXPECT_EQ(espalier_classify_pair(handle_, "the film", 8, nullptr, 0, scores.data(), &label), ESPALIER_OK);
  expect_answer(label, classifier.classify("the film", ""));
  EXPECT_EQ(espalier_classify(handle_, "a\0b", 3, scores.data(), nullptr), ESPALIER_OK);
  EXPECT_EQ(espalier_classify(handle_, "a", 1, nullptr, &label), ESPALIER_OK);

  const espalier_text texts[] = {{"the film", 8, nullptr, 0}, {nullptr, 0, nullptr, 0}, {"good", 4, "bad", 3}};
  std::array<double, 9> rows{};
  std::array<int, 3> labels{};
  EXPECT_EQ(espalier_classify_batch(handle_, texts, 3, rows.data(), labels.data()), ESPALIER_OK);
  const Answer expected[] = {classifier.classify("the film"), classifier.classify(""),
                             classifier.classify("good", "bad")};
  for (size_t i = 0; i < 3; ++i) {
    std::copy_n(rows.begin() + 3 * static_cast<std::ptrdiff_t>(i), 3, scores.begin());
    expect_answer(labels[i], expected[i]);
  }
  EXPECT_EQ(espalier_classify_batch(handle_, nullptr, 0, nullptr, nullptr), ESPALIER_OK);
}

TEST_F(CInterface, OtherTasksGiveTheirNumbers) {
  const TemporaryFolder folder;
  for (const std::string head : {"multi-label", "regression"}) {
    const auto model = open_model("random:tiny", {.labels = std::vector<std::string>{"a", "b", "c"}, .head = head});
    save_checkpoint(folder / head, model->store, model->contents());
    espalier_classifier* other = nullptr;
    ASSERT_EQ(espalier_open((folder / head).c_str(), nullptr, &other), ESPALIER_OK) << espalier_error();
    EXPECT_EQ(espalier_task(other), head);
    std::array<double, 3> scores{};
    int label = 0;
    EXPECT_EQ(espalier_classify(other, "a film", 6, scores.data(), &label), ESPALIER_OK);
    EXPECT_EQ(label, -1);
    const Answer answer = Classifier((folder / head).string()).classify("a film");
    EXPECT_EQ(std::vector<double>(scores.begin(), scores.end()),
              head == "regression" ? answer.values : answer.probabilities);
    espalier_close(other);
  }
}

TEST_F(CInterface, MistakesAreCodes) {
  double score = 0;
  expect_mistake(espalier_classify(nullptr, "a", 1, &score, nullptr), "classifier is NULL");
  expect_mistake(espalier_classify(handle_, nullptr, 5, &score, nullptr), "first is NULL, with a length of 5");
  expect_mistake(espalier_classify_pair(handle_, "a", 1, nullptr, 2, &score, nullptr), "second is NULL");
  expect_mistake(espalier_classify_batch(handle_, nullptr, 2, &score, nullptr), "texts is NULL, with a count of 2");
  EXPECT_EQ(score, 0);
  EXPECT_EQ(espalier_label_name(handle_, 3), nullptr);
  expect_in(espalier_error(), "label 3 of 3");
  EXPECT_EQ(espalier_label_name(nullptr, 0), nullptr);
  EXPECT_EQ(espalier_label_count(nullptr), 0U);
  EXPECT_EQ(espalier_task(nullptr), nullptr);
  espalier_close(nullptr);
  const espalier_text text = {"a", 1, nullptr, 0};
  EXPECT_EQ(espalier_classify_batch(handle_, &text, SIZE_MAX, nullptr, nullptr), ESPALIER_OUT_OF_MEMORY);
  EXPECT_EQ(espalier_classify(handle_, "a", 1, nullptr, nullptr), ESPALIER_OK);
  expect_mistake(espalier_set_threads(-1), "threads: -1, expected 0");
  expect_mistake(espalier_set_threads(1'000'000), "threads: 1000000, expected 0");
  EXPECT_EQ(espalier_set_threads(0), ESPALIER_OK);
}

TEST_F(CInterface, WhatCannotBeOpenedIsACode) {
  const TemporaryFolder folder;
  write_bytes(folder / "text.h5", "sentence\tlabel\n");
  const std::string here = folder.path().string(), text = (folder / "text.h5").string(), none = here + "/none\n";
  espalier_classifier* other = handle_;
  expect_mistake(espalier_open(none.c_str(), nullptr, &other), "none : there is no such file");
  EXPECT_EQ(other, nullptr);
  expect_mistake(espalier_open(here.c_str(), nullptr, &other), "config.json: cannot be opened");
  expect_mistake(espalier_open(text.c_str(), nullptr, &other), "text.h5: cannot be opened as HDF5");
  expect_mistake(espalier_open(std::string(5000, 'x').c_str(), nullptr, &other), "xxx");
  expect_mistake(espalier_open("", nullptr, &other), "there is no such file");
  expect_mistake(espalier_open(nullptr, nullptr, &other), "path is NULL");
  expect_mistake(espalier_open(golden_model.c_str(), nullptr, nullptr), "classifier is NULL");
  const auto with = [&](espalier_options options) { return espalier_open(golden_model.c_str(), &options, &other); };
  espalier_options options = ESPALIER_OPTIONS;
  options.size = 3;
  expect_mistake(with(options), "options: size is 3, expected ");
  options = ESPALIER_OPTIONS;
  options.precision = 7;
  expect_mistake(with(options), "options: precision is 7, expected ");
  options = ESPALIER_OPTIONS;
  for (const int length : {-1, 2, 21}) {
    options.max_length = length;
    expect_mistake(with(options), "max_length " + std::to_string(length) + ": expected 3 … 20");
  }
  EXPECT_EQ(other, nullptr);
}

TEST_F(CInterface, WarningsAndErrorsReachTheirCaller) {
  const TemporaryFolder folder;
  std::filesystem::copy(golden_model, folder / "model");
  std::string config = read_bytes(folder / "model/config.json");
  config.insert(config.find('{') + 1, "\"surprise\": 1,");
  write_bytes(folder / "model/config.json", config);
  std::string told;
  espalier_options options = ESPALIER_OPTIONS;
  options.precision = ESPALIER_F32;
  options.warn = [](void* context, const char* line) { *static_cast<std::string*>(context) += line; };
  options.context = &told;
  espalier_classifier* other = nullptr;
  EXPECT_EQ(espalier_open((folder / "model").c_str(), &options, &other), ESPALIER_OK) << espalier_error();
  expect_in(told, "surprise");
  espalier_close(other);

  EXPECT_EQ(espalier_label_name(handle_, 9), nullptr);
  in_threads(1, [&](int) {
    EXPECT_STREQ(espalier_error(), "") << "each thread has its own";
    EXPECT_EQ(espalier_label_name(handle_, 8), nullptr);
    expect_in(espalier_error(), "label 8");
  });
  expect_in(espalier_error(), "label 9");
}

}  // namespace
}  // namespace espalier
