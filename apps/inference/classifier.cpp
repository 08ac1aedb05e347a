// SPDX-License-Identifier: Apache-2.0
#include "apps/inference/classifier.h"

#include <mutex>
#include <utility>

#include "core/check.h"
#include "core/room.h"

namespace espalier {
namespace {

// HDF5 serves one thread at a time.
std::unique_ptr<Model> open_alone(const std::string& source, const Listener& listener) {
  expect_room(32 << 20);  // with less, HDF5 crashes where it begins
  static std::mutex opening;
  const std::scoped_lock lock(opening);
  return open_model(source, {.for_inference = true, .listener = listener});
}

}  // namespace

Classifier::Classifier(const std::string& source, const ClassifierOptions& options)
    : Classifier(open_alone(source, options.listener), options) {}

Classifier::Classifier(std::unique_ptr<Model> model, const ClassifierOptions& options)
    : model_(std::move(model)),
      precision_(choose(options.precision)),
      max_length_(options.max_length.of(model_->config.longest())) {
  model_->bert->set_compute(precision_.compute, Use::inference);
}

Answer Classifier::classify(const Text& text) const { return std::move(classify(std::span(&text, 1)).front()); }

std::vector<Answer> Classifier::classify(std::span<const Text> texts) const {
  const Head& head = model_->bert->head();
  CHECK(head.width() > 0, model_->source, ": its logits belong to tokens; expected a model that answers whole texts");
  return answer_texts(
      texts, [&](const Text& text) { return encode(model_->tokenizer, text, max_length_); },
      [&](const PackedBatch& batch) {
        Context context;
        const Tensor logits = (*model_->bert)(batch, context).value;
        std::vector<Answer> answers;
        for (int64_t b = 0; b < batch.sentences(); ++b) {
          const Tensor row = logits.view(b * head.width(), {1, head.width()});
          answers.push_back(head.answer(row));
          answers.back().logits.assign(row.span<float>().begin(), row.span<float>().end());
        }
        return answers;
      });
}

}  // namespace espalier
