// SPDX-License-Identifier: Apache-2.0
// Vocabulary rows cut out: the same pieces and logits for the text that was counted, smaller pieces for other text.
#include "compress/cutting/vocabulary.h"

#include <gtest/gtest.h>

#include <random>

#include "core/check.h"
#include "nn/mask.h"
#include "optim/optimizer.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using Texts = std::vector<std::string>;

const std::string table = "bert.embeddings.word_embeddings.weight";

// A model whose vocabulary has words, pieces and letters.
std::unique_ptr<Model> model_of(const fs::path& folder, const std::string& words) {
  write_bytes(folder / "vocab.txt", words);
  return open_model("random:tiny", {.seed = 3, .vocabulary = folder / "vocab.txt"});
}

std::unique_ptr<Model> model_of(const fs::path& folder) {
  std::string vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nfilm\nfilms\ngood\n##ness\n##ly\nno\nvery\n";
  for (char c = 'a'; c <= 'z'; ++c) vocabulary += std::string(1, c) + "\n##" + c + "\n";
  return model_of(folder, vocabulary + "é\n##é\nfi\n##lm\n");
}

// Of a model that counts these texts.
std::unique_ptr<Model> cut(const Model& model, const Texts& texts, int64_t least = 1) {
  return keep_tokens(model, count_tokens(model.tokenizer, texts), least);
}

Texts pieces(const Tokenizer& tokenizer, const std::string& text) {
  Texts all;
  for (const int32_t id : tokenizer.encode(text, 1000).ids) all.push_back(tokenizer.token(id));
  return all;
}
Texts pieces(const Model& model, const std::string& text) { return pieces(model.tokenizer, text); }

std::vector<float> logits(const Model& model, const std::string& text) {
  PackedBatch batch;
  batch.ids = model.tokenizer.encode(text, 20).ids;
  batch.segments.assign(batch.ids.size(), 0);
  batch.offsets = {0, static_cast<int32_t>(batch.ids.size())};
  Context context;
  const auto values = (*model.bert)(batch, context).value;
  return {values.span<float>().begin(), values.span<float>().end()};
}

// Each row of the table is that of the same token before.
void expect_rows(const Model& small, const Model& model) {
  const Tensor &to = small.store.at(table).value, &from = model.store.at(table).value;
  ASSERT_EQ(to.rows(), small.tokenizer.size());
  ASSERT_EQ(small.config.vocab_size, small.tokenizer.size());
  const auto& all = model.tokenizer.vocabulary();
  for (int id = 0; id < small.tokenizer.size(); ++id) {
    const auto before = std::ranges::find(all, small.tokenizer.token(id)) - all.begin();
    EXPECT_TRUE(std::equal(to.data<float>() + id * to.cols(), to.data<float>() + (id + 1) * to.cols(),
                           from.data<float>() + before * to.cols()))
        << small.tokenizer.token(id);
  }
}

TEST(Vocabulary, CountedTextKeepsItsPiecesAndLogitsAndOtherTextFallsBack) {
  const TemporaryFolder folder;
  const auto model = model_of(folder.path());
  const Texts counted = {"a film of goodness", "No film", "goodly"};
  EXPECT_EQ(count_tokens(model->tokenizer, counted)[5], 2) << "film";
  const auto small = cut(*model, counted);
  // films, very, fi and ##lm are gone.
  EXPECT_EQ(small->tokenizer.size(), model->tokenizer.size() - 4);
  expect_rows(*small, *model);
  for (const std::string text : {"a film of goodness", "no film", "Goodly", "", "zebra é", "film 9 ☃", "[MASK] film"}) {
    EXPECT_EQ(pieces(*small, text), pieces(*model, text)) << text;
    EXPECT_EQ(logits(*small, text), logits(*model, text)) << text;
  }
  EXPECT_EQ(pieces(*small, "very films"), (Texts{"[CLS]", "v", "##e", "##r", "##y", "film", "##s", "[SEP]"}));
  for (const std::string& text : Texts{"very films", "\xff\xfe", "日本 [SEP] fi", std::string(300, 'x')})
    EXPECT_EQ(logits(*small, text).size(), 2U) << text;
}

TEST(Vocabulary, LeastCountsLetTheTextComeApart) {
  const TemporaryFolder folder;
  const auto model = model_of(folder.path());
  const Texts counted = {"a film of goodness", "No film", "goodly"};
  const auto once = cut(*model, counted), twice = cut(*model, counted, 2);
  EXPECT_EQ(pieces(*twice, "film goodly"), (Texts{"[CLS]", "film", "good", "##l", "##y", "[SEP]"}));
  const Retokenized same = retokenize(model->tokenizer, once->tokenizer, counted);
  EXPECT_EQ(same.sentences, 3);
  EXPECT_EQ(same.changed, 0);
  EXPECT_EQ(same.before, 6 + 2 + 2) << "\"of\" is o ##f";
  EXPECT_EQ(same.after, same.before);
  const Retokenized more = retokenize(model->tokenizer, twice->tokenizer, counted);
  EXPECT_EQ(more.changed, 3);
  EXPECT_EQ(more.after, (6 + 3) + (2 + 1) + (2 + 1)) << "n ##e ##s ##s, n ##o, ##l ##y";
}

// "abc" is [UNK] for "ab" leads nowhere; without "ab" it would come apart as "a", "##bc".
TEST(Vocabulary, WhatIsUnknownStaysUnknown) {
  const TemporaryFolder folder;
  const auto model = model_of(folder.path(), "[PAD]\n[UNK]\n[CLS]\n[SEP]\nab\na\nx\n##bc\nabx\n");
  const Texts counted = {"abc xbc"};
  const Texts expected = {"[CLS]", "[UNK]", "x", "##bc", "[SEP]"};
  ASSERT_EQ(pieces(*model, counted[0]), expected);
  const auto small = cut(*model, counted);
  EXPECT_EQ(pieces(*small, counted[0]), expected);
  EXPECT_EQ(small->tokenizer.size(), 8) << "only abx went";
}

TEST(Vocabulary, CountedTextKeepsItsPiecesWhateverTheVocabulary) {
  std::mt19937 random(7);
  const auto below = [&](unsigned n) { return static_cast<size_t>(random() % n); };
  const auto word = [&](unsigned longest) {
    std::string text;
    for (size_t n = 1 + below(longest); n > 0; --n) text += std::array{"a", "b", "ж"}[below(3)];
    return text;
  };
  BertConfig config{.hidden_size = 2, .num_hidden_layers = 1, .num_attention_heads = 1, .intermediate_size = 2};
  int64_t unknown = 0, gone = 0;
  for (int round = 0; round < 1000; ++round) {
    std::set<std::string> words;
    for (size_t n = 5 + below(20); n > 0; --n) words.insert((below(2) == 0 ? "" : "##") + word(3));
    Texts vocabulary = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}, counted;
    vocabulary.insert(vocabulary.end(), words.begin(), words.end());
    config.vocab_size = std::ssize(vocabulary);
    Model model(config, Tokenizer(vocabulary, {}));
    model.store.lay_out();
    for (size_t n = 1 + below(5); n > 0; --n) counted.push_back(word(5) + " " + word(5));
    const auto small = cut(model, counted);
    gone += model.tokenizer.size() - small->tokenizer.size();
    for (const std::string& text : counted) {
      ASSERT_EQ(pieces(*small, text), pieces(model, text)) << text << " in round " << round;
      for (const std::string& piece : pieces(*small, text)) unknown += piece == "[UNK]" ? 1 : 0;
    }
  }
  EXPECT_GT(unknown, 1000);
  EXPECT_GT(gone, 1000);
}

TEST(Vocabulary, SpecialTokensFollowWhereverTheyAre) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "hf");
  write_bytes(folder / "hf" / "vocab.txt",
              "unused\nword\n[SEP]\n[UNK]\nfilm\n[PAD]\nother\n[CLS]\n[E1]\nf\n##f\n##ff\n###\n#\n");
  write_bytes(folder / "hf" / "tokenizer_config.json",
              R"({"added_tokens_decoder": {"8": {"content": "[E1]"}, "5": {"content": "[PAD]"}}})");
  const auto model = open_model("random:tiny", {.seed = 3, .vocabulary = folder / "hf"});
  const auto small = cut(*model, {"film [E1]x film"});
  EXPECT_EQ(small->tokenizer.vocabulary(),
            (Texts{"[SEP]", "[UNK]", "film", "[PAD]", "[CLS]", "[E1]", "f", "##f", "###", "#"}));
  EXPECT_EQ(small->tokenizer.pad(), 3);
  EXPECT_EQ(small->tokenizer.options().added_tokens, model->tokenizer.options().added_tokens);
  EXPECT_EQ(pieces(*small, "[E1]film"), (Texts{"[CLS]", "[E1]", "film", "[SEP]"}));
  expect_rows(*small, *model);
  EXPECT_EQ(logits(*small, "film [E1]f"), logits(*model, "film [E1]f"));
}

TEST(Vocabulary, AddedTokensKeepTheirFlags) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "hf");
  write_bytes(folder / "hf" / "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nfilm\nplot\nf\n##i\n");
  write_bytes(folder / "hf" / "tokenizer_config.json",
              R"({"added_tokens_decoder": {"8": {"content": "fi", "single_word": true}, "9": {"content": "<E1>",
                                           "rstrip": true, "normalized": false}}})");
  const auto model = open_model("random:tiny", {.seed = 3, .vocabulary = folder / "hf"});
  const auto small = cut(*model, {"film"});
  EXPECT_EQ(small->tokenizer.options(), model->tokenizer.options());
  EXPECT_EQ(small->tokenizer.vocabulary(),
            (Texts{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "film", "f", "##i", "fi", "<E1>"}));
  for (const char* text : {"fi FI <E1>  film", "fif", "<e1>"})
    EXPECT_EQ(pieces(*small, text), pieces(*model, text)) << text;
  EXPECT_EQ(pieces(*small, "fii"), (Texts{"[CLS]", "f", "##i", "##i", "[SEP]"})) << "an added token is no piece";
}

TEST(Vocabulary, RowsThatNoTokenHasGo) {
  const TemporaryFolder folder;
  const auto tiny = model_of(folder.path());
  BertConfig config = tiny->config;
  config.vocab_size = 128;  // 68 tokens, padded
  Model model(config, tiny->tokenizer);
  model.store.allocate(9);
  const auto small = cut(model, {"very good films fi no goodly goodness film xlm"});
  EXPECT_EQ(small->tokenizer.vocabulary(), model.tokenizer.vocabulary());
  expect_rows(*small, model);
}

TEST(Vocabulary, SavesReloadsAndTrainsOn) {
  const TemporaryFolder folder;
  const auto small = cut(*model_of(folder.path()), {"a good film", "no film"});
  small->options.set("batch-size", 8);
  save_checkpoint(folder / "m.h5", small->store, small->contents());
  const auto again = open_model((folder / "m.h5").string());
  EXPECT_EQ(again->tokenizer.vocabulary(), small->tokenizer.vocabulary());
  EXPECT_EQ(logits(*again, "very films"), logits(*small, "very films"));
  Optimizer optimizer(again->store, {});
  double first = 0, last = 0;
  for (int step = 0; step < 20; ++step) {
    PackedBatch batch;
    batch.ids = again->tokenizer.encode_pair("a good film", "very films", 64).ids;
    batch.segments.assign(batch.ids.size(), 0);
    batch.offsets = {0, static_cast<int32_t>(batch.ids.size())};
    batch.labels = {1};
    Tape tape;
    Context context{.tape = &tape, .training = true, .seed = 1, .step = static_cast<uint64_t>(step)};
    const Var loss = ops::cross_entropy((*again->bert)(batch, context), batch.labels, 1);
    tape.backward(loss);
    optimizer.step(1e-3, 1);
    (step == 0 ? first : last) = static_cast<double>(*loss.value.data<float>());
  }
  EXPECT_LT(last, 0.5 * first);
}

TEST(Vocabulary, OfAHuggingFaceFolder) {
  const auto model = open_model(std::string(ESPALIER_TESTS_DIR) + "/golden/hf_model");
  const auto small = cut(*model, {"The film is badly dull."});
  EXPECT_EQ(small->tokenizer.vocabulary(), (Texts{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "the", "film",
                                                  "is", "bad", "dull", "##ly", "##s", ".", ",", "!", "'", "-"}));
  expect_rows(*small, *model);
  EXPECT_EQ(logits(*small, "The film is badly dull."), logits(*model, "The film is badly dull."));
  EXPECT_EQ(logits(*small, "A film - dull!"), logits(*model, "A film - dull!"));
  EXPECT_EQ(pieces(*small, "good film"), (Texts{"[CLS]", "[UNK]", "film", "[SEP]"})) << "it has no letters";
}

TEST(Vocabulary, MasksOfTheTableAreCutAlong) {
  const TemporaryFolder folder;
  const auto model = model_of(folder.path());
  Parameter& embeddings = model->store.at(table);
  const Tensor bits = Mask::bits_of(embeddings.shape, true);
  const int64_t width = embeddings.shape[1];
  for (const int64_t element : {int64_t{6} * width, int64_t{7} * width + 3}) {  // of films and of good
    bits.data<uint8_t>()[element / 8] &= static_cast<uint8_t>(~(1U << (element % 8)));
  }
  hold(embeddings, bits);
  const auto small = cut(*model, {"good film"});
  const Mask& mask = mask_of(small->store.at(table));
  EXPECT_EQ(mask.size() - mask.kept(), 1);
  EXPECT_EQ(small->tokenizer.token(6), "good");
  EXPECT_FALSE(mask.keeps(6 * width + 3));
  EXPECT_TRUE(masks_of(cut(*model, {"film"})->store).empty()) << "no row that was pruned is left";
}

TEST(Vocabulary, SentencesAreLinesOrColumns) {
  const TemporaryFolder folder;
  write_bytes(folder / "a.txt", "a film\tof goodness\r\n\n \t\nNo film");
  write_bytes(folder / "b.tsv", "label\tsentence2\tsentence\nx\tvery\tgoodly\n1\t\tno\n");
  const std::vector<fs::path> texts = {folder / "a.txt", folder / "b.tsv"};
  EXPECT_EQ(read_sentences(texts), (Texts{"a film\tof goodness", "No film", "goodly", "very", "no"}));
}

TEST(Vocabulary, MistakesAreErrors) {
  const TemporaryFolder folder;
  const auto model = model_of(folder.path());
  const auto error = [&](const fs::path& path) {
    return error_of<Error>([&] { read_sentences(std::span(&path, 1)); });
  };
  expect_in(error(folder / "none.txt"), "none.txt: cannot be opened: No such file");
  expect_in(error(folder / "none.tsv"), "none.tsv");
  expect_in(error(folder.path()), ": is a directory; expected a file");
  write_bytes(folder / "empty.txt", "\n \n");
  expect_in(error(folder / "empty.txt"), "empty.txt: holds no sentence");
  write_bytes(folder / "empty.tsv", "sentence\n");
  expect_in(error(folder / "empty.tsv"), "holds a header but no examples");
  const std::vector<int64_t> counts(static_cast<size_t>(model->tokenizer.size()), 1), few(3, 1);
  expect_in(error_of<Error>([&] { keep_tokens(*model, counts, 0); }), "a least count of 0");
  expect_in(error_of<Error>([&] { keep_tokens(*model, few, 1); }), "3 counts for");
}

}  // namespace
}  // namespace espalier
