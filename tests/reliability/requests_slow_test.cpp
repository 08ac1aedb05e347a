// SPDX-License-Identifier: Apache-2.0
// One Classifier that eight threads ask again and again: memory stays flat, and every answer is the one that a single
// thread gets. ESPALIER_REQUESTS says how many requests (20,000; the long form is 10,000,000).
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>

#include "apps/inference/classifier.h"
#include "tests/inference/models.h"

namespace espalier {
namespace {

constexpr int threads_that_ask = 8;

int64_t wanted_requests() {
  const char* const given = std::getenv("ESPALIER_REQUESTS");
  return given != nullptr ? std::atoll(given) : 20'000;
}

// What is asked: texts of 2 to 512 tokens, some as pairs, some together.
class Requests {
 public:
  explicit Requests(const Classifier& classifier) : classifier_(classifier), texts_(texts_of(256, 600)) {
    for (size_t i = 0; i < texts_.size(); ++i) expected_.push_back(ask(i));
  }

  bool answered_as_expected(size_t request) const {
    const size_t i = request % texts_.size();
    return ask(i) == expected_[i];
  }

 private:
  std::vector<std::vector<double>> ask(size_t i) const {
    std::vector<Text> texts;
    for (size_t k = 0; k < (i % 32 == 0 ? 5 : 1); ++k) texts.push_back(text((i + k) % texts_.size()));
    std::vector<std::vector<double>> all;
    for (const Answer& answer : classifier_.classify(texts)) all.push_back(answer.probabilities);
    return all;
  }
  Text text(size_t i) const {
    if (i % 7 == 0) return {texts_[i], texts_[(i + 1) % texts_.size()]};
    return {texts_[i]};
  }

  const Classifier& classifier_;
  std::vector<std::string> texts_;
  std::vector<std::vector<std::vector<double>>> expected_;
};

class ManyRequests : public testing::TestWithParam<const char*> {};

TEST_P(ManyRequests, LeaveMemoryAndAnswersAsTheyWere) {
  const bool int8 = GetParam() == std::string("int8");
  const Classifier classifier(int8 ? int8_model() : open_model("random:tiny"),
                              {.precision = Precision::f32, .max_length = 512});
  const Requests requests(classifier);
  const int64_t all = wanted_requests();
  std::atomic<int64_t> next = 0, different = 0, warm = 0;
  const auto start = std::chrono::steady_clock::now();
  in_threads(threads_that_ask, [&](int) {
    for (int64_t i = next++; i < all; i = next++) {
      if (!requests.answered_as_expected(static_cast<size_t>(i))) ++different;
      if (i == all / 10) warm = memory_now();
    }
  });
  const int64_t seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - start).count();
  const int64_t end = memory_now();
  std::printf("%ld requests in %ld s, %ld answers differ; memory after a tenth %.1f MB, at the end %.1f MB\n", all,
              seconds, different.load(), static_cast<double>(warm) * 1e-6, static_cast<double>(end) * 1e-6);
  EXPECT_EQ(different, 0);
  EXPECT_LT(end - warm, 8 << 20);
}

INSTANTIATE_TEST_SUITE_P(Models, ManyRequests, testing::Values("f32", "int8"),
                         [](const auto& kind) { return std::string(kind.param); });

}  // namespace
}  // namespace espalier
