// SPDX-License-Identifier: Apache-2.0
// CorpusStream: the masked sequences of a corpus, one pass after the other, in an order that seed and pass decide. It
// holds a window of the text at a time. Used by apps/training.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/record.h"
#include "data/corpus/corpus.h"
#include "data/corpus/masking.h"
#include "data/corpus/sequences.h"
#include "data/text/loader.h"

namespace espalier {

struct StreamOptions {
  SequenceOptions sequences = {};
  MaskOptions masks = {};
  bool shuffle = true;                 // false: the corpus' order
  int64_t window = int64_t{64} << 20;  // bytes of text whose sequences are shuffled
  uint64_t seed = 0;

  int64_t longest_document() const {
    return std::max<int64_t>(1, window / 4);
  }  // for Corpus: no window is one document
};

class CorpusStream {
 public:
  enum class Part { training, held_out };
  // Corpus, tokenizer and `held_out` must outlive it. Throws Error where a pass has no sequence with a token to mask.
  CorpusStream(const Corpus& corpus, const HeldOut& held_out, Part part, const Tokenizer& tokenizer,
               const StreamOptions& options);

  // Appends the next sequences, with TokenizedDataset::token_labels, and with values, one a sequence, as the head of
  // pre-training reads them (nn/heads/pretraining.h). In each pass the files come in another order, and so do the
  // sequences of a window, and masks and pairs are others.
  void append(int64_t sequences, TokenizedDataset& data);
  // The rest of the pass.
  void append_pass(TokenizedDataset& data);
  // Sequences of the first pass; or, once there are `enough`, as many as the bytes so far let expect. Counts from the
  // beginning and moves nothing.
  int64_t count(int64_t enough) const;

  // Where it stands, to go on from there to the same bits. Throws Error, beginning with `source`, for what is no place
  // in this corpus.
  Record position() const;
  void go_to(const Record& position, const std::string& source);
  int64_t pass() const { return block_.pass; }

 private:
  struct Block {  // where it begins
    int64_t pass = 0;
    int64_t document = 0;  // place in the pass
    int64_t number = 0;    // of its first sequence in the pass
  };
  void start_pass(int64_t pass, int64_t document = 0);
  int64_t window_of_block() const;
  bool read_block();  // false: the pass is over
  bool load_block();
  bool advance();
  void append_sequence(TokenizedDataset& data);

  const Corpus* corpus_;
  const HeldOut* held_out_;
  Part part_;
  const Tokenizer* tokenizer_;
  StreamOptions options_;
  Masking masking_;
  std::optional<PassReader> reader_;
  Block block_;
  int64_t bytes_ = 0;  // of text read in this pass, with what the other part has
  TokenizedDocuments documents_;
  std::vector<Sequence> sequences_;
  size_t sequence_ = 0;  // the next one of the block
};

}  // namespace espalier
