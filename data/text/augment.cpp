// SPDX-License-Identifier: Apache-2.0
#include "data/text/augment.h"

#include <algorithm>

#include "core/check.h"
#include "core/rng.h"

namespace espalier {

void AugmentOptions::check(const std::string& prefix) const {
  CHECK(drop >= 0 && masked >= 0 && drop < 1 && drop + masked <= 1, prefix, "augment-drop and ", prefix,
        "augment-mask: words are dropped with probability ", drop, " and masked with ", masked,
        "; two shares that make at most 1 are expected, the first below 1");
}

TokenizedDataset augmented(const TokenizedDataset& data, const Tokenizer& tokenizer, const AugmentOptions& options) {
  CHECK(options.copies >= 1, "augment: ", options.copies, " copies; at least 1 is expected");
  options.check("");
  CHECK(tokenizer.mask(), "augment: the vocabulary has no ", tokenizer.options().special.mask);
  const int32_t mask = *tokenizer.mask();
  const auto special = [&](int32_t id) { return id == tokenizer.cls() || id == tokenizer.sep(); };
  const auto continues = [&](int64_t t) {
    return tokenizer.continues_word(data.ids[t]) && !special(data.ids[t]) && !special(data.ids[t - 1]);
  };

  TokenizedDataset copies;
  for (int64_t copy = 0; copy < options.copies; ++copy) {
    for (int64_t i = 0; i < data.sentences(); ++i) {
      Rng random(options.seed, static_cast<uint64_t>(copy * data.sentences() + i));
      const int64_t begin = data.offsets[i], end = data.offsets[i + 1];
      std::vector<int32_t> ids;
      int64_t kept = 0, first_length = 0, only = begin;  // `only` is a word that would stay if none did
      double action = 0;
      for (int64_t t = begin; t < end; ++t) {
        const int32_t id = data.ids[t];
        const bool keep = special(id), word = !keep && !continues(t);
        if (word) {
          action = random.uniform();
          if (special(data.ids[only])) only = t;
        }
        if (!keep && action < options.drop) continue;
        ids.push_back(!keep && action < options.drop + options.masked ? mask : id);
        kept += keep ? 0 : 1;
        first_length += t - begin < data.first_lengths[i] ? 1 : 0;
      }
      if (kept == 0 && !special(data.ids[only])) {
        int64_t behind = only + 1;
        while (behind < end && continues(behind)) ++behind;
        ids.insert(ids.begin() + 1, data.ids.begin() + only, data.ids.begin() + behind);
        first_length += behind - only;
      }
      copies.ids.append(ids);
      copies.first_lengths.push_back(static_cast<int32_t>(first_length));
      copies.offsets.push_back(copies.tokens());
    }
  }
  return copies;
}

}  // namespace espalier
