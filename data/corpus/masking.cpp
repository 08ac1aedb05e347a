// SPDX-License-Identifier: Apache-2.0
#include "data/corpus/masking.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/check.h"
#include "core/rng.h"
#include "data/corpus/streams.h"

namespace espalier {
namespace {

// Of one token: when it is chosen, what happens to it, and what may stand instead.
struct Numbers {
  uint32_t order, action, instead;
};

Numbers numbers_of(uint64_t key, int64_t sequence, int64_t token) {
  const auto words = philox({static_cast<uint32_t>(token), 0, static_cast<uint32_t>(sequence),
                             static_cast<uint32_t>(static_cast<uint64_t>(sequence) >> 32)},
                            {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)});
  return {words[0], words[1], words[2]};
}

// The value below `bound` that belongs to a number.
uint32_t scaled(uint32_t number, size_t bound) { return static_cast<uint32_t>(uint64_t{number} * bound >> 32); }

}  // namespace

Masking::Masking(const Tokenizer& tokenizer, const MaskOptions& options, uint64_t seed)
    : tokenizer_(tokenizer), options_(options), seed_(seed), special_(static_cast<size_t>(tokenizer.size())) {
  CHECK(tokenizer.mask(), "the vocabulary of ", tokenizer.size(), " tokens has no ", tokenizer.options().special.mask,
        ", which masked-language modelling puts in the place of tokens; expected a vocabulary with it, such as "
        "train_vocab writes");
  for (const int32_t id : tokenizer.whole_tokens()) special_[static_cast<size_t>(id)] = true;
  for (int32_t id = 0; id < tokenizer.size(); ++id)
    if (!special_[static_cast<size_t>(id)]) ordinary_.push_back(id);
  CHECK(!ordinary_.empty(), "the vocabulary has special tokens only; expected words or their pieces");
}

bool Masking::fits(std::span<const int32_t> ids) const {
  return std::ranges::any_of(ids, [&](int32_t id) { return !special_[static_cast<size_t>(id)]; });
}

// In the order in which they are chosen. Without whole words, each token is one.
std::vector<Masking::Word> Masking::words(std::span<const int32_t> ids, const SequencePlace& place) const {
  const uint64_t key = stream_of(seed_, Draw::masks, place.pass);
  std::vector<Word> all;
  for (int64_t t = 0; t < std::ssize(ids); ++t) {
    const int32_t id = ids[static_cast<size_t>(t)];
    if (special_[static_cast<size_t>(id)]) continue;
    if (options_.whole_words && !all.empty() && all.back().end == t && tokenizer_.continues_word(id))
      ++all.back().end;
    else
      all.push_back({numbers_of(key, place.number, t).order, t, t + 1});
  }
  std::ranges::stable_sort(all, {}, &Word::order);
  return all;
}

void Masking::mask(std::span<int32_t> ids, std::span<int32_t> labels, const SequencePlace& place) const {
  std::ranges::fill(labels, -1);
  const uint64_t key = stream_of(seed_, Draw::masks, place.pass);
  const int64_t wanted = std::max<int64_t>(1, std::lround(options_.share * static_cast<double>(ids.size())));
  int64_t chosen = 0;
  for (const Word& word : words(ids, place)) {
    if (chosen > 0 && chosen + word.end - word.begin > wanted) continue;
    for (int64_t t = word.begin; t < word.end; ++t) {
      const Numbers numbers = numbers_of(key, place.number, t);
      int32_t& id = ids[static_cast<size_t>(t)];
      labels[static_cast<size_t>(t)] = id;
      const uint32_t tenth = scaled(numbers.action, 10);
      if (tenth < 8) id = *tokenizer_.mask();
      if (tenth == 8) id = ordinary_[scaled(numbers.instead, ordinary_.size())];
    }
    chosen += word.end - word.begin;
    if (chosen >= wanted) break;
  }
}

}  // namespace espalier
