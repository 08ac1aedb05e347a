// SPDX-License-Identifier: Apache-2.0
// Where models come from: a checkpoint FILE.h5, a Hugging Face directory, or random:SIZE. All programs open models with
// this.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/listener.h"
#include "data/models/checkpoint.h"
#include "data/models/hf.h"
#include "data/text/tokenizer.h"
#include "nn/bert.h"

namespace espalier {

struct Model {
  Model(const BertConfig& model_config, Tokenizer model_tokenizer);  // parameters without values

  BertConfig config;
  ParameterStore store;        // with the masks and integers of a checkpoint
  std::unique_ptr<Bert> bert;  // its parameters are in the store
  Tokenizer tokenizer;
  LoadReport report;
  Record options;  // of the run that made a checkpoint
  std::string source;

  CheckpointContents contents() const;  // for save_checkpoint
};

// What a new head is for.
struct Task {
  std::string head;  // by its name in nn/heads
  std::vector<std::string> labels;
  std::string from;  // who says so: "from --labels"
};

struct OpenOptions {
  uint64_t seed = 0;                      // of the values that the source does not have
  std::filesystem::path vocabulary = {};  // vocab.txt, or a directory with one and its options; replaces
                                          // demo_vocabulary() of random:SIZE or a directory's own; empty: none
  // Instead of the source's names. Another number of them makes a new head.
  std::optional<std::vector<std::string>> labels = {};
  std::optional<std::string> head = {};  // instead of the source's task; another one makes a new head
  // Whether a head may be initialised that the source does not have: for training, and for looking at models. All other
  // programs answer with the head, which must not be random, unless the whole model is (random:SIZE).
  bool may_start_head = false;
  // For a model that only answers: less memory and time. The int8 parameters of a checkpoint have no values until
  // ParameterStore::settle, and pruned ones are not held at zero.
  bool for_inference = false;
  // Of a head that is initialised, where `labels` says nothing; not called: it is what the source's configuration says.
  std::function<Task(const BertConfig&)> new_task = {};
  Listener listener = {};  // warned of what has no effect in the source
};

// The task that a source's configuration names, without its weights; none for random:SIZE.
std::optional<Task> task_of(const std::string& source);

// Throws for an int8 model: what changes weights, and names itself, needs those in f32.
void require_f32(const Model& model, const std::string& what);

// Throws Error listing the three forms if the source is none of them, if the vocabulary does not fit the word
// embeddings, with both sizes, and for a head that is not trained, see OpenOptions.
std::unique_ptr<Model> open_model(const std::string& source, const OpenOptions& options = {});

}  // namespace espalier
