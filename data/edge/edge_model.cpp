// SPDX-License-Identifier: Apache-2.0
#include "data/edge/edge_model.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "core/kernels/activation.h"
#include "core/quoted.h"
#include "data/edge/edge_weights.h"

namespace espalier {
namespace {

// Sections of a tokenizer that is not plainly BERT's.
void read_other_kinds(const EdgeFile& file, TokenizerOptions& o) {
  if (file.has("special_tokens")) {
    const std::vector<std::string> names = file.texts("special_tokens");
    CHECK(names.size() == 5, file.source(), ": section 'special_tokens' has ", names.size(), " texts, expected 5");
    o.special = {names[0], names[1], names[2], names[3], names[4]};
  }
  if (file.has("longest_word")) {
    const std::vector<int32_t> longest = file.integers("longest_word");
    CHECK(longest.size() == 1 && longest[0] >= 0, file.source(), ": section 'longest_word' is no length");
    o.longest_word = longest[0];
  }
  if (!file.has("merges")) return;
  o.kind = TokenizerKind::byte_level_bpe;
  o.merges = file.texts("merges");
  const std::vector<int32_t> space = file.integers("add_prefix_space");
  CHECK(space.size() == 1, file.source(), ": section 'add_prefix_space' has ", space.size(), " numbers, expected 1");
  o.add_prefix_space = space[0] != 0;
}

Tokenizer tokenizer_of(const EdgeFile& file) {
  const std::vector<int32_t> options = file.integers("tokenizer");
  CHECK(options.size() == 4, file.source(), ": section 'tokenizer' has ", options.size(), " numbers, expected 4");
  TokenizerOptions o = {.lowercase = options[0] != 0,
                        .strip_accents = options[1] != 0,
                        .tokenize_chinese_chars = options[2] != 0,
                        .segments = options[3] != 0};
  read_other_kinds(file, o);
  const std::vector<std::string> added = file.texts("added_tokens");
  const std::vector<int32_t> flags = file.integers("added_token_flags");
  CHECK(added.size() == flags.size(), file.source(), ": has ", added.size(), " added tokens, with flags for ",
        flags.size());
  for (size_t i = 0; i < added.size(); ++i)
    o.added_tokens.push_back({.content = added[i],
                              .special = (flags[i] & 1) != 0,
                              .normalized = (flags[i] & 2) != 0,
                              .lstrip = (flags[i] & 4) != 0,
                              .rstrip = (flags[i] & 8) != 0,
                              .single_word = (flags[i] & 16) != 0,
                              .piece = (flags[i] & 32) != 0});
  try {
    return {file.texts("vocabulary"), std::move(o)};
  } catch (const Error& error) { fail(file.source(), ": ", error.what()); }
}

std::string task_of(const EdgeFile& file) {
  const std::vector<std::string> task = file.texts("task");
  CHECK(task.size() == 1 && answer_of_task(task[0]) != nullptr, file.source(),
        ": section 'task' does not name a task that this program knows; a newer one may");
  return task[0];
}

EngineWeights checked_encoder(const EdgeFile& file, const Tokenizer& tokenizer) {
  EngineWeights w = encoder_of(file);
  const int64_t rows = w.word_integers != nullptr ? w.word_integers->out() : w.word.rows();
  CHECK(rows >= tokenizer.size(), file.source(), ": has ", tokenizer.size(), " tokens and word embeddings for ", rows);
  CHECK(!w.segment || w.segment.rows() >= 2 || (!tokenizer.options().segments && w.segment.rows() >= 1), file.source(),
        ": has ", w.segment.rows(), " segment embeddings, expected two");
  const int64_t positions = w.position.rows() - w.first_position;
  CHECK(positions >= 3, file.source(), ": has ", positions, " positions, expected 3 or more");
  return w;
}

PackedLinear head_of(const EdgeFile& file, const std::string& name, int64_t in, int64_t out) {
  const LinearWeights l = linear_of(file, name, in);
  CHECK(l.out == out, file.source(), ": ", name, " has ", l.out, " outputs, expected ", out);
  return {{l}, DType::f32};
}

}  // namespace

EdgeModel::EdgeModel(const EdgeFile& file)
    : source_(file.source()),
      tokenizer_(tokenizer_of(file)),
      labels_(file.texts("labels")),
      task_(task_of(file)),
      answer_of_(answer_of_task(task_)),
      positions_(file.tensor("bert.embeddings.position_embeddings.weight", DType::f32, 2).rows() -
                 edge_encoder(file).first_position),
      pool_(edge_encoder(file).pool),
      encoder_(checked_encoder(file, tokenizer_)),
      pooler_(head_of(file, "bert.pooler.dense", hidden_of(file), hidden_of(file))),
      classifier_(head_of(file, "classifier", hidden_of(file), std::ssize(labels_))) {
  CHECK(!labels_.empty(), source_, ": has no labels");
  file.check_all_used();
}

std::vector<Answer> EdgeModel::operator()(const PackedBatch& batch) const {
  if (batch.sentences() == 0) return {};
  try {
    return answer(batch);
  } catch (const Error& error) { fail(source_, ": ", error.what()); }  // of numbers that grow beyond all bounds
}

std::vector<Answer> EdgeModel::answer(const PackedBatch& batch) const {
  const int64_t sentences = batch.sentences();
  const std::span<const int32_t> first(batch.offsets.data(), static_cast<size_t>(sentences));
  const Tensor hidden = encoder_(batch, first);
  const Rows x = {.rows = sentences, .cols = hidden.cols(), .stride = hidden.cols(), .data = hidden.raw()};
  Workspace space;
  const Rows pooled = space.rows(Workspace::result, sentences, pooler_.out(), DType::f32);
  pooler_.multiply(pooler_.converted(x, space, Workspace::input), pooled);
  for (int64_t b = 0; b < sentences; ++b)
    if (pool_ == 0)
      std::transform(pooled.at<float>(b), pooled.at<float>(b, pooled.cols), pooled.at<float>(b),
                     [](float v) { return std::tanh(v); });
    else
      kernels::activation_rows(pool_ == 1 ? Activation::relu : Activation::gelu, 1, pooled.cols, pooled.at<float>(b),
                               pooled.stride);
  const Rows logits = space.rows(Workspace::middle, sentences, classifier_.out(), DType::f32);
  classifier_.multiply(classifier_.converted(pooled, space, Workspace::input), logits);
  std::vector<Answer> answers;
  for (int64_t b = 0; b < sentences; ++b) {
    const std::span<const float> row(logits.at<float>(b), labels_.size());
    answers.push_back(answer_of_(row, labels_));
    answers.back().logits.assign(row.begin(), row.end());
  }
  return answers;
}

}  // namespace espalier
