// SPDX-License-Identifier: Apache-2.0
// Algorithm: a row of the table of compression algorithms, compress/algorithms.h. Its options on the command line, in
// the config file, in
// --help, in the checkpoint and in the check of a resumed run all come from the row, and so does its Compressor.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compress/compressor.h"
#include "core/listener.h"
#include "core/options.h"
#include "data/models/model_source.h"

namespace espalier {

// The run that a compressor is made for.
struct Setting {
  Model& model;
  const TokenizedDataset& train;  // empty: the text is a corpus, which comes as a stream
  int64_t steps;                  // of the optimizer, in all; 0: not known yet
  uint64_t seed;
  int max_length;  // tokens a sentence
  bool gradient_checkpointing;
  std::filesystem::path output;  // of the run
  bool dry_run;                  // no file may be written
  const Compressor& before;      // those of the rows above, in one
  const Listener& listener;
};

struct Algorithm {
  std::string name, heading;  // --NAME.option; of its paragraph in --help

  // Declares the rows. They are refused while `on` does not hold, except for switches (OptionRow::is_switch).
  std::function<void(Options& rows)> options;
  std::function<bool()> on;
  std::string how;  // to turn it on, for the refusal: "nothing is pruned without --prune.amount"
  std::function<std::unique_ptr<Compressor>(const Setting&)> make;  // called if it is on

  // What a new head of the trained model is for, where the algorithm decides that; called if it is on.
  std::function<std::optional<Task>()> task = {};

  // For algorithms that change more than the training step; they look themselves whether they are asked to.
  std::function<std::unique_ptr<Model>(std::unique_ptr<Model>)> start = {};  // the model that training begins with
  std::function<TokenizedDataset(const Setting&)> more_data = {};            // sentences without labels to learn from
  // What becomes of the finished checkpoint; null: it stays as it is.
  std::function<std::unique_ptr<Model>(const std::filesystem::path& checkpoint)> finish = {};
};

// Declares the algorithm's rows in a group of their own. Without `prefixed` its options have no prefix.
void declare(const Algorithm& algorithm, Options& rows, bool prefixed = true);

}  // namespace espalier
