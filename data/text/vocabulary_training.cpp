// SPDX-License-Identifier: Apache-2.0
// As tokenizers trains: both kinds merge the most frequent pairs; WordPiece keeps the tokens alone, with ## before
// those inside of words. Words are taken in the order of their bytes, so that equal texts give equal vocabularies.
#include "data/text/vocabulary_training.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "core/check.h"
#include "data/text/bert_words.h"
#include "data/text/byte_level_bpe.h"
#include "data/text/examples.h"
#include "data/text/gpt2_words.h"
#include "data/text/lines.h"
#include "data/text/pair_merging.h"
#include "data/text/unicode_classes.h"

namespace espalier {
namespace {

using Counts = std::map<std::string_view, int64_t>;

constexpr std::string_view kInside = "##";

std::vector<std::string> special_tokens(const TokenizerOptions& options) {
  const auto& [pad, unk, cls, sep, mask] = options.special;
  if (options.kind == TokenizerKind::byte_level_bpe) return {cls, pad, sep, unk, mask};
  return {pad, unk, cls, sep, mask};
}

void check_room(int64_t size, std::size_t taken) {
  CHECK(size > static_cast<int64_t>(taken), "a vocabulary of ", size, " tokens has no room for pieces: special tokens ",
        "and single characters take ", taken, "; expected a larger size");
}

std::vector<std::string> characters_of(std::string_view word) {
  std::vector<std::string> characters;
  for (std::size_t at = 0; at < word.size();) {
    const std::size_t begin = at;
    read_code_point(word, at);
    characters.emplace_back(word.substr(begin, at - begin));
  }
  return characters;
}

// The most frequent characters, of equally frequent ones the first, by code point.
std::vector<std::string> alphabet_of(const Counts& words, int64_t most) {
  std::map<std::string, int64_t> counts;
  for (const auto& [word, count] : words)
    for (const std::string& character : characters_of(word)) counts[character] += count;
  std::vector<std::pair<int64_t, std::string>> sorted;
  sorted.reserve(counts.size());
  for (const auto& [character, count] : counts) sorted.emplace_back(-count, character);
  std::ranges::sort(sorted);
  if (std::ssize(sorted) > most) sorted.resize(static_cast<std::size_t>(most));
  std::vector<std::string> alphabet;
  alphabet.reserve(sorted.size());
  for (const auto& [count, character] : sorted) alphabet.push_back(character);
  std::ranges::sort(alphabet);
  return alphabet;
}

// TokenIds of tokens; new ones are put at the end.
class TokenIds {
 public:
  explicit TokenIds(std::vector<std::string>& vocabulary) : vocabulary_(vocabulary) {
    for (const std::string& token : vocabulary) ids_.emplace(token, static_cast<int32_t>(ids_.size()));
  }
  int32_t add(const std::string& token) {
    const auto [place, is_new] = ids_.emplace(token, static_cast<int32_t>(vocabulary_.size()));
    if (is_new) vocabulary_.push_back(token);
    return place->second;
  }

 private:
  std::vector<std::string>& vocabulary_;
  std::unordered_map<std::string, int32_t> ids_;
};

std::vector<CountedWord> wordpiece_words(const Counts& words, int64_t most, std::vector<std::string>& vocabulary) {
  TokenIds places(vocabulary);
  const std::vector<std::string> alphabet = alphabet_of(words, most);
  for (const std::string& character : alphabet) places.add(character);
  std::vector<CountedWord> counted;
  for (const auto& [word, count] : words) {
    CountedWord& one = counted.emplace_back(CountedWord{{}, count});
    for (bool first = true; const std::string& character : characters_of(word)) {
      if (std::ranges::binary_search(alphabet, character))
        one.tokens.push_back(places.add(first ? character : std::string(kInside) + character));
      first = false;
    }
  }
  return counted;
}

std::vector<CountedWord> byte_words(const Counts& words, std::vector<std::string>& vocabulary) {
  TokenIds places(vocabulary);
  std::vector<std::string> letters(byte_letters().begin(), byte_letters().end());
  std::ranges::sort(letters);
  for (const std::string& letter : letters) places.add(letter);
  std::vector<CountedWord> counted;
  for (const auto& [word, count] : words) {
    CountedWord& one = counted.emplace_back(CountedWord{{}, count});
    for (const char byte : word) one.tokens.push_back(places.add(byte_letters()[static_cast<unsigned char>(byte)]));
  }
  return counted;
}

}  // namespace

void WordCounts::add(std::string_view text) {
  const auto count = [&](std::string_view word) {
    word_.assign(word);
    ++words_[word_];
  };
  if (options_.kind == TokenizerKind::wordpiece) {
    BertWords words(text, options_);
    for (auto word = words.next(); !word.empty(); word = words.next()) count(word);
    return;
  }
  std::string prefixed;
  if (options_.add_prefix_space && !text.empty() && text[0] != ' ') text = prefixed = ' ' + std::string(text);
  for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end) {
    end = end_of_gpt2_word(text, begin);
    count(text.substr(begin, end - begin));
  }
}

void WordCounts::add_file(const std::filesystem::path& path, const TableOptions& table,
                          const std::function<void(int64_t, int64_t)>& progress) {
  if (path.extension() == ".tsv" || format_of(path) != TableFormat::tsv) {
    ExampleReader reader(path, {.labels = Labels::ignored, .table = table});
    for (Example example; reader.next(example);) {
      add(example.first);
      add(example.second);
    }
    return;
  }
  Lines lines(path, Lines::Of::sentences, "texts", int64_t{1} << 50);
  for (std::string_view line; lines.next(line);) {
    add(line);
    progress(lines.given(), lines.size());
  }
}

Tokenizer VocabularyTraining::run(const std::unordered_map<std::string, int64_t>& words,
                                  const std::function<void(int64_t)>& progress) const {
  CHECK(!words.empty(), "--input: there is no word to learn from; expected texts, a sentence a line");
  const bool bpe = options.kind == TokenizerKind::byte_level_bpe;
  const Counts sorted(words.begin(), words.end());
  std::vector<std::string> vocabulary = special_tokens(options);
  std::vector<CountedWord> counted =
      bpe ? byte_words(sorted, vocabulary) : wordpiece_words(sorted, alphabet, vocabulary);
  check_room(size, vocabulary.size());
  const PairMerging merging = {
      .size = size, .least = least, .prefix = bpe ? std::string_view() : kInside, .progress = progress};
  std::vector<std::string> merges = merging.run(std::move(counted), vocabulary);
  TokenizerOptions trained = options;
  if (bpe) trained.merges = std::move(merges);
  return {std::move(vocabulary), std::move(trained)};
}

}  // namespace espalier
