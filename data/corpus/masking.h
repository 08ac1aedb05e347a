// SPDX-License-Identifier: Apache-2.0
// Masked-language modelling: which tokens of a sequence are to be found again, and what stands there instead (Devlin et
// al. 2019, arXiv:1810.04805, section 3.1). Used by data/corpus/corpus.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/text/tokenizer.h"

namespace espalier {

struct MaskOptions {
  double share = 0.15;       // of the tokens; at least one
  bool whole_words = false;  // all pieces of a word, or none
};

// Which sequence it is: its masks depend on the seed and on this alone.
struct SequencePlace {
  int64_t pass = 0;    // over the corpus
  int64_t number = 0;  // in the pass
};

class Masking {
 public:
  // Throws Error for a vocabulary without [MASK] or without ordinary tokens. The tokenizer must outlive it.
  Masking(const Tokenizer& tokenizer, const MaskOptions& options, uint64_t seed);

  // Whether there is a token that may be chosen: one that is not special, such as [CLS] or [UNK].
  bool fits(std::span<const int32_t> ids) const;

  // Chooses share * T of the T tokens, rounded, at least one and as many as there are; of whole words no more, but at
  // least one word. Of the chosen ones 80 % become [MASK], 10 % an ordinary token at random, 10 % stay. labels[T] get
  // the tokens that stood there, else -1. Random numbers are Philox's, a block for each token.
  void mask(std::span<int32_t> ids, std::span<int32_t> labels, const SequencePlace& place) const;

 private:
  struct Word {
    uint32_t order;
    int64_t begin, end;
  };
  std::vector<Word> words(std::span<const int32_t> ids, const SequencePlace& place) const;

  const Tokenizer& tokenizer_;
  MaskOptions options_;
  uint64_t seed_;
  std::vector<bool> special_;      // [V]
  std::vector<int32_t> ordinary_;  // tokens that may stand instead of a chosen one
};

}  // namespace espalier
