// SPDX-License-Identifier: Apache-2.0
// Checkpoints: one HDF5 file with everything that a model needs to predict (weights, config with labels, vocabulary,
// tokenizer options), what it was made with (options), and what a stopped run needs to continue to the same bits
// (optimizer moments, place in the data). Layout in data/models/checkpoint.cpp. Used by all programs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "core/hdf5/file.h"
#include "core/record.h"
#include "data/models/load_report.h"
#include "data/text/tokenizer.h"
#include "nn/config.h"
#include "nn/mask.h"
#include "nn/parameter.h"
#include "optim/optimizer.h"

namespace espalier {

// What the file says about the model, beside its weights.
struct CheckpointContents {
  BertConfig config;
  std::vector<std::string> vocabulary;
  TokenizerOptions tokenizer;
  Record options = {};  // the effective options of the run that made it
};

// Where a run stands. The next batch is number `batch` of epoch `epoch`, both from 0.
struct TrainingState {
  int64_t step = 0;  // updates of the weights so far
  int64_t epoch = 0;
  int64_t batch = 0;
  uint64_t seed = 0;
  double best_accuracy = -1;  // the best of the head's metric so far
  int64_t best_step = 0;      // 0: there was no evaluation yet
  Record extra = {};          // whatever else the loop must remember
};

// Writes the file anew; equal contents give equal bytes. With `optimizer` and `state` the file resumes, and has the
// stored values; without (null) it predicts, and has what the forward pass sees: the values behind all transforms, or
// the integers that stand for them. The parameters' masks are in either.
// `more` adds groups of its own to the file. Throws Error where the file cannot be made and Failure where it cannot be
// completed; a file that was there before is then as it was.
void save_checkpoint(const std::filesystem::path& path, const ParameterStore& store, const CheckpointContents& contents,
                     const Optimizer* optimizer = nullptr, const TrainingState* state = nullptr,
                     const std::function<void(Hdf5Group)>& more = {});

// Throws Error, with both numbers, where the word embeddings have fewer rows than the vocabulary has tokens. More rows
// are fine: no token ever reads them.
void check_vocabulary(const std::vector<std::string>& vocabulary, const BertConfig& config, const std::string& source);

// A checkpoint that was opened and whose contents are read and checked; weights are read on demand. Errors name file
// and dataset.
class Checkpoint {
 public:
  explicit Checkpoint(const std::filesystem::path& path);

  const CheckpointContents& contents() const { return contents_; }
  Tokenizer tokenizer() const;

  // All values and integers of a model of contents().config; lays the store out unless that is done. Masks that are
  // fixed and copies of values follow. One Error lists all missing, unexpected and mis-shaped tensors. The parameters
  // `without` keep what they have, whatever the file has under their names. With Load::for_inference a store that is
  // not laid out has no values of int8 parameters, see ParameterStore::lay_out_without.
  enum class Load { all, for_inference };
  LoadReport load_weights(ParameterStore& store, const std::set<std::string>& without = {},
                          Load load = Load::all) const;

  // Of the parameters that were pruned, for hold(); `store` has the weights of this file. Throws for names and sizes
  // that the store does not have, but for those of `without`, which are left out.
  PrunedMasks masks(const ParameterStore& store, const std::set<std::string>& without = {}) const;

  bool resumes() const { return resumes_; }  // has a training state and the optimizer's
  TrainingState state() const;               // throws if there is none
  void load_optimizer(Optimizer& optimizer, const ParameterStore& store) const;  // of a store with the same layout

  const Hdf5Group& root() const { return file_.root(); }  // for what `more` has written

 private:
  std::string path_;
  Hdf5File file_;
  CheckpointContents contents_;
  bool resumes_ = false;
};

}  // namespace espalier
