// SPDX-License-Identifier: Apache-2.0
#include "compress/cutting/vocabulary.h"

#include <algorithm>
#include <limits>

#include "compress/cutting/cut.h"
#include "core/check.h"
#include "core/parallel.h"
#include "data/text/examples.h"
#include "data/text/lines.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

void append_examples(const fs::path& table, std::vector<std::string>& sentences) {
  ReadOptions options;
  options.labels = Labels::ignored;
  ExampleReader reader(table, options);
  for (Example example; reader.next(example);) {
    sentences.push_back(std::move(example.first));
    if (!example.second.empty()) sentences.push_back(std::move(example.second));
  }
}

void append_lines(const fs::path& path, std::vector<std::string>& sentences) {
  Lines lines(path, Lines::Of::sentences, "a .tsv with a column sentence, or a text with a sentence on each line");
  const size_t before = sentences.size();
  for (std::string_view line; lines.next(line);)
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) sentences.emplace_back(line);
  CHECK(sentences.size() > before, path.string(), ": holds no sentence; expected one on each line");
}

// Calls f(sentence's index) for all, in parallel.
template <class F>
void for_sentences(std::span<const std::string> sentences, const F& f) {
  parallel_rows(std::ssize(sentences), 256, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) f(static_cast<size_t>(i));
  });
}

// One code point, alone or as ##x.
bool single_character(std::string_view token) {
  if (token.starts_with("##") && token.size() > 2) token.remove_prefix(2);
  const auto starts = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
  return std::ranges::count_if(token, starts) == 1;
}

}  // namespace

std::vector<std::string> read_sentences(std::span<const fs::path> texts) {
  std::vector<std::string> sentences;
  for (const fs::path& path : texts)
    path.extension() == ".tsv" || format_of(path) != TableFormat::tsv ? append_examples(path, sentences)
                                                                      : append_lines(path, sentences);
  return sentences;
}

std::vector<int64_t> count_tokens(const Tokenizer& tokenizer, std::span<const std::string> sentences) {
  std::vector<std::vector<int32_t>> met(sentences.size());
  for_sentences(sentences, [&](size_t i) { met[i] = tokenizer.tokens_met(sentences[i]); });
  std::vector<int64_t> counts(static_cast<size_t>(tokenizer.size()));
  for (const std::vector<int32_t>& ids : met)
    for (const int32_t id : ids) ++counts[static_cast<size_t>(id)];
  return counts;
}

std::unique_ptr<Model> keep_tokens(const Model& model, std::span<const int64_t> counts, int64_t least) {
  const std::vector<std::string>& all = model.tokenizer.vocabulary();
  CHECK(least >= 1, "vocabulary: a least count of ", least, "; expected at least 1");
  CHECK(counts.size() == all.size(), "vocabulary: ", counts.size(), " counts for ", all.size(), " tokens");
  std::vector<uint8_t> stays(all.size());
  for (size_t i = 0; i < all.size(); ++i) stays[i] = counts[i] >= least || single_character(all[i]) ? 1 : 0;
  for (const int32_t id : model.tokenizer.whole_tokens()) stays[static_cast<size_t>(id)] = 1;

  std::vector<std::string> kept;
  Indices rows;
  for (size_t i = 0; i < all.size(); ++i)
    if (stays[i] != 0) {
      kept.push_back(all[i]);
      rows.push_back(static_cast<int64_t>(i));
    }
  BertConfig config = model.config;
  config.vocab_size = std::ssize(kept);
  const std::string table = "bert.embeddings.word_embeddings.weight";
  TokenizerOptions options = model.tokenizer.options();
  options.merges = merges_among({kept.begin(), kept.end()}, options.merges);
  CutParts pieces = {{table, {.from = table, .rows = rows}}};
  if (const std::string bias = "cls.predictions.bias"; model.store.find(bias) != nullptr)
    pieces[bias] = {.from = bias, .rows = std::move(rows)};
  return cut(model, config, Tokenizer(std::move(kept), std::move(options)), pieces);
}

Retokenized retokenize(const Tokenizer& before, const Tokenizer& after, std::span<const std::string> sentences) {
  std::vector<Retokenized> each(sentences.size());
  for_sentences(sentences, [&](size_t i) {
    const auto a = before.encode(sentences[i], std::numeric_limits<int>::max()).ids;
    const auto b = after.encode(sentences[i], std::numeric_limits<int>::max()).ids;
    const bool same = std::ranges::equal(a, b, [&](int32_t x, int32_t y) { return before.token(x) == after.token(y); });
    each[i] = {1, same ? 0 : 1, std::ssize(a) - 2, std::ssize(b) - 2};
  });
  Retokenized sum;
  for (const Retokenized& one : each)
    sum = {sum.sentences + one.sentences, sum.changed + one.changed, sum.before + one.before, sum.after + one.after};
  return sum;
}

}  // namespace espalier
