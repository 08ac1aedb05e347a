// SPDX-License-Identifier: Apache-2.0
// GPT-2's and RoBERTa's byte-level BPE: text is split into words, and the bytes of each word are merged pair by pair,
// the most important merge first (Sennrich et al. 2016, arXiv:1508.07909; Radford et al. 2019, "Language Models are
// Unsupervised Multitask Learners"). Any bytes can be encoded. Used by Tokenizer, which finds the special and added
// tokens first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/text/byte_table.h"
#include "data/text/tokenizer_options.h"
#include "data/text/wordpiece.h"

namespace espalier {

// The letter that stands for a byte in vocabularies and merges, in UTF-8: itself if it is printable, else one from
// U+0100 on.
const std::array<std::string, 256>& byte_letters();

// Those of the merges that can be done where only `tokens` exist, in their order.
std::vector<std::string> merges_among(const std::set<std::string_view>& tokens, std::span<const std::string> merges);

class ByteLevelBpe {
 public:
  // Throws Error where the vocabulary lacks the letter of a byte, and as check_merges does.
  ByteLevelBpe(std::span<const std::string> vocabulary, const TokenizerOptions& options);

  using Ids = std::unordered_map<std::string_view, int32_t>;

  // Throws Error, which begins with place(index), for a merge that is not two tokens with a space between them, whose
  // tokens or result the vocabulary lacks, that comes a second time, or that needs a token that no merge makes. One
  // that stands before the merges that it needs is none: Hugging Face's trainer writes some.
  static void check_merges(const Ids& vocabulary, std::span<const std::string> merges,
                           const std::function<std::string(std::size_t)>& place);

  std::string normalize(std::string_view text) const { return std::string(text); }

  // Appends the ids of a part of a text, as WordPiece::append does. With Wanted::all_met all tokens come that stood for
  // a part of a word at some time.
  using Wanted = WordPiece::Wanted;
  void append(std::string_view part, WordPiece::Text kind, std::size_t enough, std::vector<int32_t>& ids,
              Wanted wanted) const;

 private:
  struct Merge {
    int64_t pair = -1;  // left << 32 | right
    int32_t rank = 0, id = 0;
  };
  static constexpr std::size_t kShortWord = 40;  // bytes
  struct Neighbours {                            // a token of a short word, and its merge with the next one
    int32_t token, rank, result;
  };
  struct Symbol {
    int32_t id;
    int64_t previous, next;  // places, -1 at the ends
  };
  struct Due {  // a merge that could be done
    int32_t rank, id;
    int64_t place;
    bool operator<(const Due& other) const {  // the first one to be done is the largest
      return rank != other.rank ? rank > other.rank : place > other.place;
    }
  };
  struct Scratch {
    std::vector<Symbol> symbols;
    std::vector<Due> due;  // a heap
  };

  void add_merges(const Ids& vocabulary, std::span<const std::string> merges);
  const Merge* find_merge(int32_t left, int32_t right) const;
  void merge_short_word(std::string_view word, std::vector<int32_t>& ids) const;
  void merge_word(std::string_view word, Scratch& scratch, std::vector<int32_t>& ids, Wanted wanted) const;
  void add_due(int64_t place, Scratch& scratch) const;

  bool add_prefix_space_;
  std::array<int32_t, 256> bytes_ = {};
  std::vector<Merge> merges_;  // open addressing by pair; a power of two, less than half of them taken
  ByteTable words_;            // those that end as one token
};

}  // namespace espalier
