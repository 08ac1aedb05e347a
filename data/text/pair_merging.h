// SPDX-License-Identifier: Apache-2.0
// Training of BPE: of all pairs of neighbouring tokens in counted words the most frequent one becomes a token, again
// and again (Sennrich et al. 2016, arXiv:1508.07909). The merges are those of Hugging Face's tokenizers. Used by
// vocabulary_training.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

struct CountedWord {
  std::vector<int32_t> tokens;
  int64_t count;
};

struct PairMerging {
  int64_t size;                                       // of the vocabulary, at most
  int64_t least = 2;                                  // a pair that is met fewer times is no token
  std::string_view prefix;                            // of tokens inside of words; the second one of a pair loses it
  std::function<void(int64_t tokens)> progress = {};  // after each merge

  // Adds tokens to the vocabulary, from the most frequent pair on; of pairs met equally often that with the smaller ids
  // comes first. Returns the merges, as "left right".
  std::vector<std::string> run(std::vector<CountedWord> words, std::vector<std::string>& vocabulary) const;
};

}  // namespace espalier
