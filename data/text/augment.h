// SPDX-License-Identifier: Apache-2.0
// More sentences from given ones, for a student to learn from a teacher's answers: words are left out or masked, in the
// spirit of TinyBERT's augmentation (Jiao et al. 2020, arXiv:1909.10351). Used by the training programs.
#pragma once

#include <cstdint>
#include <string>

#include "data/text/loader.h"
#include "data/text/tokenizer.h"

namespace espalier {

struct AugmentOptions {
  int64_t copies = 1;               // of each sentence
  double drop = 0.1, masked = 0.1;  // probabilities that a word is left out, or that each of its tokens is [MASK]
  uint64_t seed = 0;

  // Throws for shares outside [0, 1), or above 1 together; options are named with `prefix`, such as "--distill.".
  void check(const std::string& prefix) const;
};

// The copies, unlabelled: `copies` times all sentences in their order. A word is a token with its ## pieces, or from
// one space of byte-level BPE to the next; [CLS] and [SEP] stay, and of each sentence at least one word. Throws Error
// for a vocabulary without [MASK] and for probabilities outside [0, 1) or above 1 together.
TokenizedDataset augmented(const TokenizedDataset& data, const Tokenizer& tokenizer, const AugmentOptions& options);

}  // namespace espalier
