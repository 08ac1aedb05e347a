// SPDX-License-Identifier: Apache-2.0
// Augmented copies: words go or are masked as a whole, with the probabilities asked for; the same again by the seed.
#include "data/text/augment.h"

#include <gtest/gtest.h>

#include "core/check.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

const Tokenizer tokenizer({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "##ness", "film"}, {});

TokenizedDataset sentences(int64_t count) {
  TokenizedDataset data;
  for (int64_t i = 0; i < count; ++i) {
    const std::vector<int32_t> ids =
        i % 2 == 0 ? std::vector<int32_t>{2, 5, 6, 7, 7, 3} : std::vector<int32_t>{2, 7, 3, 5, 6, 3};  // a pair
    data.ids.append(ids);
    data.first_lengths.push_back(i % 2 == 0 ? 6 : 3);
    data.offsets.push_back(data.tokens());
    data.labels.push_back(1);
  }
  return data;
}

TEST(Augment, WordsGoOrAreMaskedAsAWhole) {
  const TokenizedDataset data = sentences(2000),
                         copies = augmented(data, tokenizer, {.copies = 2, .drop = 0.2, .masked = 0.3, .seed = 5});
  ASSERT_EQ(copies.sentences(), 4000);
  EXPECT_TRUE(copies.labels.empty());
  double words = 0, masks = 0, left = 0;
  for (int64_t i = 0; i < copies.sentences(); ++i) {
    const std::span ids(copies.ids.data() + copies.offsets[i], static_cast<size_t>(copies.length(i)));
    ASSERT_GE(ids.size(), 3U) << "one word stays";
    EXPECT_EQ(ids.front(), 2);
    EXPECT_EQ(ids.back(), 3);
    words += i % 2 == 0 ? 3 : 2;
    for (size_t t = 1; t < ids.size(); ++t) {
      if (ids[t] == 6) { EXPECT_EQ(ids[t - 1], 5) << "a piece follows its word"; }
      if (ids[t] == 5 && t + 1 < ids.size()) { EXPECT_EQ(ids[t + 1], 6); }
    }
    int64_t of_sentence = 0;
    for (size_t t = 0; t < ids.size(); ++t) {
      left += ids[t] == 5 || ids[t] == 7;
      of_sentence += ids[t] == 4;
    }
    masks += static_cast<double>(of_sentence);
    if (i % 2 == 1) {
      ASSERT_GT(copies.first_lengths[i], 1);
      EXPECT_EQ(ids[static_cast<size_t>(copies.first_lengths[i]) - 1], 3)
          << "the first sentence of a pair ends as before";
    }
  }
  EXPECT_NEAR(left / words, 0.5, 0.02);
  EXPECT_GT(masks, 0.3 * words);  // a masked word of two tokens is two masks
  const TokenizedDataset again = augmented(data, tokenizer, {.copies = 2, .drop = 0.2, .masked = 0.3, .seed = 5});
  EXPECT_EQ(again.ids, copies.ids);
  EXPECT_NE(augmented(data, tokenizer, {.copies = 2, .drop = 0.2, .masked = 0.3, .seed = 6}).ids, copies.ids);
}

TEST(Augment, MistakesAreNamed) {
  const TokenizedDataset data = sentences(1);
  expect_in(error_of<Error>([&] { augmented(data, tokenizer, {.copies = 0}); }), "0 copies");
  expect_in(error_of<Error>([&] { augmented(data, tokenizer, {.drop = 0.7, .masked = 0.7}); }), "masked with 0.7");
  const Tokenizer plain({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "a"}, {});
  expect_in(error_of<Error>([&] { augmented(data, plain, {}); }), "has no [MASK]");
}

TEST(Append, MarksTheUnlabelled) {
  TokenizedDataset data = sentences(2), more = sentences(1);
  more.labels.clear();
  append(data, more);
  EXPECT_EQ(data.labels, (std::vector<int32_t>{1, 1, -1}));
  EXPECT_EQ(data.offsets, (std::vector<int64_t>{0, 6, 12, 18}));
  append(more, sentences(1));
  EXPECT_EQ(more.labels, (std::vector<int32_t>{-1, 1}));
}

}  // namespace
}  // namespace espalier
