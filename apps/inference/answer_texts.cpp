// SPDX-License-Identifier: Apache-2.0
#include "apps/inference/answer_texts.h"

#include <atomic>
#include <iterator>

#include "core/parallel.h"

namespace espalier {
namespace {

constexpr int64_t batch_tokens = 8192;  // enough for many threads; the model itself takes as many at a time as are fast
constexpr int64_t texts_at_once = 16;   // that one task tokenizes

std::atomic<int> callers = 0;  // of all models of the process: they share the pool of threads

struct Caller {
  Caller() { ++callers; }
  ~Caller() { --callers; }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
};

// Work of a caller: on all threads of the pool where there are two or more for each caller, else on its own thread.
template <class F>
void run_among_callers(const F& work) {
  std::optional<SerialSections> alone;
  if (2 * callers > threads()) alone.emplace();
  work();
}

// The first of these, at least one.
PackedBatch batch_of(std::span<const Tokenizer::Encoding> texts) {
  PackedBatch batch;
  batch.offsets = {0};
  for (const auto& [ids, segments] : texts) {
    if (batch.sentences() > 0 && batch.tokens() + std::ssize(ids) > batch_tokens) break;
    batch.ids.insert(batch.ids.end(), ids.begin(), ids.end());
    batch.segments.insert(batch.segments.end(), segments.begin(), segments.end());
    batch.offsets.push_back(static_cast<int32_t>(batch.tokens()));
  }
  return batch;
}

}  // namespace

Tokenizer::Encoding encode(const Tokenizer& tokenizer, const Text& text, int max_length) {
  return text.second ? tokenizer.encode_pair(text.first, *text.second, max_length)
                     : tokenizer.encode(text.first, max_length);
}

std::vector<Answer> answer_texts(std::span<const Text> texts, const Encode& encode, const AnswerBatch& answer) {
  const Caller caller;
  std::vector<Tokenizer::Encoding> encoded(texts.size());
  run_among_callers([&] {
    parallel_rows(std::ssize(texts), texts_at_once, [&](int64_t begin, int64_t end) {
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) encoded[i] = encode(texts[i]);
    });
  });
  std::vector<Answer> answers;
  answers.reserve(texts.size());
  for (std::span<const Tokenizer::Encoding> rest = encoded; !rest.empty();) {
    const PackedBatch batch = batch_of(rest);
    rest = rest.subspan(static_cast<size_t>(batch.sentences()));
    run_among_callers([&] {
      std::vector<Answer> some = answer(batch);
      std::move(some.begin(), some.end(), std::back_inserter(answers));
    });
  }
  return answers;
}

}  // namespace espalier
