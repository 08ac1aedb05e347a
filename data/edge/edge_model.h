// SPDX-License-Identifier: Apache-2.0
// EdgeModel: a model from an edge file: tokenizer, encoder and head, for answers only. It reads its weights where they
// lie in the file. Used by EdgeClassifier.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/edge/edge_file.h"
#include "data/text/tokenizer.h"
#include "nn/engine/engine.h"
#include "nn/heads/answer.h"

namespace espalier {

class EdgeModel {
 public:
  // Throws Error, naming section and file, for what is missing, unknown or does not fit.
  explicit EdgeModel(const EdgeFile& file);

  // One answer for each sentence. Several threads may call it at once. Throws as Engine does, naming the file.
  std::vector<Answer> operator()(const PackedBatch& batch) const;

  const Tokenizer& tokenizer() const { return tokenizer_; }
  const std::string& task() const { return task_; }
  const std::vector<std::string>& labels() const { return labels_; }
  int64_t positions() const { return positions_; }  // tokens that a sentence or pair can have
  const std::string& source() const { return source_; }

 private:
  std::vector<Answer> answer(const PackedBatch& batch) const;

  std::string source_;
  Tokenizer tokenizer_;
  std::vector<std::string> labels_;
  std::string task_;
  AnswerOf answer_of_;
  int64_t positions_;
  int pool_;  // see EdgeEncoder
  Engine encoder_;
  PackedLinear pooler_, classifier_;
};

}  // namespace espalier
