// SPDX-License-Identifier: Apache-2.0
// Where models come from: a checkpoint FILE.h5, a Hugging Face directory, or random:SIZE. All programs open models with
// this.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/models/checkpoint.h"
#include "data/models/hf.h"
#include "data/text/wordpiece.h"
#include "nn/bert.h"

namespace espalier {

struct Model {
  Model(const BertConfig& model_config, WordPiece model_tokenizer);  // parameters without values

  BertConfig config;
  ParameterStore store;        // with the masks and integers of a checkpoint
  std::unique_ptr<Bert> bert;  // its parameters are in the store
  WordPiece tokenizer;
  LoadReport report;
  Record options;  // of the run that made a checkpoint
  std::string source;

  CheckpointContents contents() const;  // for save_checkpoint
};

struct OpenOptions {
  uint64_t seed = 0;                      // of the values that the source does not have
  std::filesystem::path vocabulary = {};  // vocab.txt, or a directory with one and its options; replaces
                                          // demo_vocabulary() of random:SIZE or a directory's own; empty: none
  std::optional<std::vector<std::string>> labels = {};  // instead of the source's names
};

// Throws for an int8 model: what changes weights, and names itself, needs those in f32.
void require_f32(const Model& model, const std::string& what);

// Throws Error listing the three forms if the source is none of them, and if the vocabulary does not fit the word
// embeddings, with both sizes.
std::unique_ptr<Model> open_model(const std::string& source, const OpenOptions& options = {});

}  // namespace espalier
