// SPDX-License-Identifier: Apache-2.0
// The options of pre-training text, and how it is read. Part of TrainOptions.
#pragma once

#include <string>
#include <vector>

#include "core/listener.h"
#include "core/options.h"
#include "data/corpus/corpus_stream.h"
#include "data/models/model_source.h"

namespace espalier {

struct CorpusOptions {
  std::vector<std::string> files = {}, dev = {};
  TableOptions table = {};
  double validation_split = 0.01, shuffle_window = 64;  // MiB
  bool next_sentence = true;
  double short_sequences = 0.1;
  MaskOptions masks = {};

  bool on() const { return !files.empty(); }  // else the run learns from labels
  Task task() const;                          // of the head
  void declare(Options& rows);
};

// What is read of them for a run.
struct CorpusText {
  Corpus corpus;
  HeldOut held_out;
  std::unique_ptr<CorpusStream> stream;
  TokenizedDataset dev;
  std::string dev_described;  // the files of --dev-corpus; empty: the dev text is held out
};

// Throws Error for files that Corpus refuses, for a vocabulary without [MASK], and for pairs where no sentence has a
// next one or there is no other document. The model's tokenizer must outlive the text.
std::unique_ptr<CorpusText> read_corpus(const CorpusOptions& options, const Tokenizer& tokenizer, int max_length,
                                        bool shuffle, uint64_t seed, const Listener& listener);

}  // namespace espalier
