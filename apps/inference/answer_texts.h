// SPDX-License-Identifier: Apache-2.0
// Texts in, answers out, whatever the model: batches are cut, and callers share the pool of threads. Used by Classifier
// and EdgeClassifier.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "data/text/tokenizer.h"
#include "nn/heads/answer.h"
#include "nn/packed_batch.h"

namespace espalier {

// A text or, with a second one, a pair. Any bytes: those that are not UTF-8 are left out, as NULs are. An empty text is
// one without words.
struct Text {
  std::string_view first;
  std::optional<std::string_view> second = {};
};

Tokenizer::Encoding encode(const Tokenizer& tokenizer, const Text& text, int max_length);

using Encode = std::function<Tokenizer::Encoding(const Text&)>;
using AnswerBatch = std::function<std::vector<Answer>(const PackedBatch&)>;  // one for each sentence

// The answers in the order of the texts. Several threads may call it at once, with the same functions or others.
std::vector<Answer> answer_texts(std::span<const Text> texts, const Encode& encode, const AnswerBatch& answer);

}  // namespace espalier
