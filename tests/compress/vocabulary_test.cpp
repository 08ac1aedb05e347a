// SPDX-License-Identifier: Apache-2.0
// Vocabulary rows cut out: the same pieces and logits for the text that was counted, smaller pieces for other text.
#include "compress/vocabulary.h"

#include <gtest/gtest.h>

#include "compress/mask.h"
#include "core/check.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

// A model whose vocabulary has words, pieces and letters.
std::unique_ptr<Model> model_of(const std::filesystem::path& folder) {
  std::string vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nfilm\nfilms\ngood\n##ness\n##ly\nno\nvery\n";
  for (char c = 'a'; c <= 'z'; ++c) vocabulary += std::string(1, c) + "\n##" + c + "\n";
  vocabulary += "é\n##é\nfi\n##lm\n";
  write_bytes(folder / "vocab.txt", vocabulary);
  return open_model("random:tiny", {.seed = 3, .vocabulary = folder / "vocab.txt"});
}

std::vector<std::string> pieces(const Model& model, const std::string& text) {
  std::vector<std::string> all;
  for (const int32_t id : model.tokenizer.encode(text, 64).ids) all.push_back(model.tokenizer.token(id));
  return all;
}

std::vector<float> logits(const Model& model, const std::string& text) {
  PackedBatch batch;
  batch.ids = model.tokenizer.encode(text, 64).ids;
  batch.segments.assign(batch.ids.size(), 0);
  batch.offsets = {0, static_cast<int32_t>(batch.ids.size())};
  Context context;
  const auto values = (*model.bert)(batch, context).value;
  return {values.span<float>().begin(), values.span<float>().end()};
}

TEST(Vocabulary, CountedTextKeepsItsPiecesAndLogitsAndOtherTextFallsBack) {
  const TemporaryFolder folder;
  const auto model = model_of(folder.path());
  write_bytes(folder / "a.txt", "a film of goodness\n\nNo film\n");
  write_bytes(folder / "b.tsv", "label\tsentence\n1\tgoodly\n");
  const std::vector<std::filesystem::path> texts = {folder / "a.txt", folder / "b.tsv"};
  const auto counts = count_tokens(model->tokenizer, texts);
  EXPECT_EQ(counts[5], 2) << "film";
  const auto small = keep_tokens(*model, counts, 1);
  // films, very, fi and ##lm are gone.
  EXPECT_EQ(small->tokenizer.size(), model->tokenizer.size() - 4);
  EXPECT_EQ(small->store.at("bert.embeddings.word_embeddings.weight").shape[0], small->tokenizer.size());
  for (const std::string text : {"a film of goodness", "no film", "Goodly", "", "zebra é", "film 9 ☃"}) {
    EXPECT_EQ(pieces(*small, text), pieces(*model, text)) << text;
    EXPECT_EQ(logits(*small, text), logits(*model, text)) << text;
  }
  EXPECT_EQ(pieces(*small, "very films"),
            (std::vector<std::string>{"[CLS]", "v", "##e", "##r", "##y", "film", "##s", "[SEP]"}));
  save_checkpoint(folder / "m.h5", small->store, small->contents());
  const auto again = open_model((folder / "m.h5").string());
  EXPECT_EQ(logits(*again, "very films"), logits(*small, "very films"));
  const auto twice = keep_tokens(*model, counts, 2);
  EXPECT_LT(twice->tokenizer.size(), small->tokenizer.size());
  EXPECT_EQ(pieces(*twice, "film")[1], "film");
  EXPECT_EQ(pieces(*twice, "goodly").size(), 5U) << "good stays, ##ly falls apart";
}

TEST(Vocabulary, MasksOfTheTableAreCutAlong) {
  const TemporaryFolder folder;
  const auto model = model_of(folder.path());
  Parameter& table = model->store.at("bert.embeddings.word_embeddings.weight");
  const Tensor bits = Mask::bits_of(table.shape, true);
  const int64_t width = table.shape[1];
  for (const int64_t element : {int64_t{6} * width, int64_t{7} * width + 3}) {  // of films and of good
    bits.data<uint8_t>()[element / 8] &= static_cast<uint8_t>(~(1U << (element % 8)));
    table.value.data<float>()[element] = 0;
  }
  model->pruned[table.name] = bits;
  write_bytes(folder / "a.txt", "good film\n");
  const std::vector<std::filesystem::path> texts = {folder / "a.txt"};
  const auto small = keep_tokens(*model, count_tokens(model->tokenizer, texts), 1);
  Mask mask(small->store.at(table.name).shape);
  mask.set(small->pruned.at(table.name));
  EXPECT_EQ(mask.size() - mask.kept(), 1);
  EXPECT_EQ(small->tokenizer.token(6), "good");
  EXPECT_FALSE(mask.keeps(6 * width + 3));
}

TEST(Vocabulary, MistakesAreErrors) {
  const TemporaryFolder folder;
  const auto model = model_of(folder.path());
  const auto error = [&](const std::filesystem::path& path) {
    return error_of<Error>([&] { count_tokens(model->tokenizer, std::span(&path, 1)); });
  };
  expect_in(error(folder / "none.txt"), "none.txt: cannot be read");
  expect_in(error(folder / "none.tsv"), "none.tsv");
  write_bytes(folder / "empty.txt", "\n\n");
  expect_in(error(folder / "empty.txt"), "empty.txt: holds no sentence");
  const std::vector<int64_t> counts(static_cast<size_t>(model->tokenizer.size()), 1), few(3, 1);
  expect_in(error_of<Error>([&] { keep_tokens(*model, counts, 0); }), "a least count of 0");
  expect_in(error_of<Error>([&] { keep_tokens(*model, few, 1); }), "3 counts for");
}

}  // namespace
}  // namespace espalier
