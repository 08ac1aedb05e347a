// SPDX-License-Identifier: Apache-2.0
#include "apps/inference/classifier.h"

#include <atomic>
#include <mutex>
#include <utility>

#include "core/check.h"
#include "core/parallel.h"
#include "core/room.h"

namespace espalier {
namespace {

constexpr int64_t batch_tokens = 8192;  // enough for many threads; the model itself takes as many at a time as are fast
constexpr int64_t texts_at_once = 16;   // that one task tokenizes

std::atomic<int> callers = 0;  // in all classifiers of the process: they share the pool of threads

struct Caller {
  Caller() { ++callers; }
  ~Caller() { --callers; }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
};

// HDF5 serves one thread at a time.
std::unique_ptr<Model> open_alone(const std::string& source, const Listener& listener) {
  expect_room(32 << 20);  // with less, HDF5 crashes where it begins
  static std::mutex opening;
  const std::scoped_lock lock(opening);
  return open_model(source, {.for_inference = true, .listener = listener});
}

// Work of a caller: on all threads of the pool where there are two or more for each caller, else on its own thread.
template <class F>
void run_among_callers(const F& work) {
  std::optional<SerialSections> alone;
  if (2 * callers > threads()) alone.emplace();
  work();
}

// The first of these, at least one.
PackedBatch batch_of(std::span<const WordPiece::Encoding> texts) {
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

Classifier::Classifier(const std::string& source, const ClassifierOptions& options)
    : Classifier(open_alone(source, options.listener), options) {}

Classifier::Classifier(std::unique_ptr<Model> model, const ClassifierOptions& options)
    : model_(std::move(model)),
      precision_(choose(options.precision)),
      max_length_(options.max_length.of(model_->config.max_position_embeddings)) {
  model_->bert->set_compute(precision_.compute, Use::inference);
}

WordPiece::Encoding Classifier::encode(const Text& text) const {
  return text.second ? model_->tokenizer.encode_pair(text.first, *text.second, max_length_)
                     : model_->tokenizer.encode(text.first, max_length_);
}

Answer Classifier::classify(const Text& text) const { return std::move(classify(std::span(&text, 1)).front()); }

std::vector<Answer> Classifier::classify(std::span<const Text> texts) const {
  const Head& head = model_->bert->head();
  CHECK(head.width() > 0, model_->source, ": its logits belong to tokens; expected a model that answers whole texts");
  const Caller caller;
  std::vector<WordPiece::Encoding> encoded(texts.size());
  run_among_callers([&] {
    parallel_rows(std::ssize(texts), texts_at_once, [&](int64_t begin, int64_t end) {
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) encoded[i] = encode(texts[i]);
    });
  });
  std::vector<Answer> answers;
  answers.reserve(texts.size());
  for (std::span<const WordPiece::Encoding> rest = encoded; !rest.empty();) {
    const PackedBatch batch = batch_of(rest);
    rest = rest.subspan(static_cast<size_t>(batch.sentences()));
    run_among_callers([&] {
      Context context;
      const Tensor logits = (*model_->bert)(batch, context).value;
      for (int64_t b = 0; b < batch.sentences(); ++b)
        answers.push_back(head.answer(logits.view(b * head.width(), {1, head.width()})));
    });
  }
  return answers;
}

}  // namespace espalier
