// SPDX-License-Identifier: Apache-2.0
#include "data/text/demo_corpus.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <sstream>
#include <string_view>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "core/check.h"
#include "core/disk_error.h"
#include "data/files/atomic_file.h"
#include "data/text/demo_grammar.h"
#include "data/text/splitmix.h"
#include "data/text/tsv.h"

namespace espalier {
namespace {

constexpr int64_t train_sentences = 12000, dev_sentences = 800;

bool held_out(std::string_view alternative) { return alternative.starts_with('*'); }

const GrammarSymbol& symbol(std::string_view name) {
  const auto& grammar = demo_grammar();
  const auto at = std::find_if(grammar.begin(), grammar.end(), [&](const GrammarSymbol& s) { return s.name == name; });
  CHECK(at != grammar.end(), "demo grammar: no symbol '", name, "'");
  return *at;
}

class Writer {
 public:
  Writer(Split split, uint64_t seed) : random_(seed, static_cast<uint64_t>(split)), dev_(split == Split::dev) {}

  std::string review(bool good) {
    std::string text;
    write(demo_grammar().front(), good, text);
    return text;
  }

 private:
  void write(const GrammarSymbol& symbol, bool good, std::string& text);
  std::string_view choose(const GrammarSymbol& symbol, bool good);

  SplitMix random_;
  bool dev_;
};

// Alternatives are equally likely, but those held out take one dev choice in twelve.
std::string_view Writer::choose(const GrammarSymbol& symbol, bool good) {
  std::vector<std::string_view> usual, unusual;
  for (const auto* list : {&symbol.either, good ? &symbol.good : &symbol.bad})
    for (const std::string_view alternative : *list)
      held_out(alternative) ? unusual.push_back(alternative.substr(1)) : usual.push_back(alternative);
  const bool dare = dev_ && !unusual.empty() && random_.below(12) == 0;
  const auto& choices = dare ? unusual : usual;
  return choices[random_.below(choices.size())];
}

void Writer::write(const GrammarSymbol& of, bool good, std::string& text) {
  std::string_view rest = choose(of, good);
  while (!rest.empty()) {
    const size_t open = std::min(rest.find('{'), rest.size());
    text += rest.substr(0, open);
    rest.remove_prefix(open);
    if (rest.empty()) break;
    const size_t close = rest.find('}');
    std::string_view name = rest.substr(1, close - 1);
    rest.remove_prefix(close + 1);
    const bool opposite = name.ends_with('-');
    if (opposite || name.ends_with('+')) name.remove_suffix(1);
    write(symbol(name), good != opposite, text);
  }
}

// "a original" becomes "an original".
void set_articles(std::string& text) {
  for (size_t at = text.find("a "); at != std::string::npos; at = text.find("a ", at + 1)) {
    const bool word = at == 0 || text[at - 1] == ' ';
    if (word && std::string_view("aeiou").find(text[at + 2]) != std::string_view::npos) text.insert(at + 1, "n");
  }
}

// "dull and dull", "neither dull nor dull": a word stands twice with one between.
bool repeats(const std::string& text) {
  std::istringstream words(text);
  std::string before, last, word;
  while (words >> word) {
    if (word == before) return true;
    before = std::exchange(last, word);
  }
  return false;
}

// A sentence belongs to one split, whatever the seed: one hash in eight (FNV-1a) is dev's.
Split split_of(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return (hash ^ hash >> 32) % 8 == 0 ? Split::dev : Split::train;
}

}  // namespace

Dataset demo_corpus(Split split, uint64_t seed) {
  const bool dev = split == Split::dev;
  Dataset dataset{dev ? "synthetic dev" : "synthetic train", {}, false, true};
  Writer writer(split, seed);
  std::unordered_set<std::string> seen;
  for (int64_t i = 0; i < (dev ? dev_sentences : train_sentences);) {
    const auto label = static_cast<int32_t>(i % 2);
    std::string text = writer.review(label == 1);
    set_articles(text);
    if (repeats(text) || split_of(text) != split || !seen.insert(text).second) continue;
    dataset.examples.push_back({std::move(text), {}, label});
    ++i;
  }
  SplitMix(seed, 2 + static_cast<uint64_t>(split)).shuffle(dataset.examples);
  return dataset;
}

void write_demo_corpus(const std::filesystem::path& folder, uint64_t seed) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    refuse_writing(folder.string() + ": cannot be made; expected a folder that you may write to", error.value());
  write_tsv(folder / "train.tsv", demo_corpus(Split::train, seed));
  write_tsv(folder / "dev.tsv", demo_corpus(Split::dev, seed));
  write_file(folder / "labels.txt", "negative\npositive\n");
}

std::vector<std::string> demo_vocabulary() {
  std::vector<std::string> vocabulary = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  for (char c = '!'; c <= '~'; ++c) vocabulary.emplace_back(1, c);
  for (char c = '!'; c <= '~'; ++c)
    if (std::isdigit(c) != 0 || std::islower(c) != 0) vocabulary.push_back(std::string("##") + c);
  for (const char* ending :
       {"able", "ed", "er", "est", "ful", "ing", "ive", "less", "ly", "ment", "ness", "ous", "tion"})
    vocabulary.push_back(std::string("##") + ending);

  std::set<std::string> words;  // runs of letters outside {…}; a single letter is in the vocabulary already
  for (const GrammarSymbol& symbol : demo_grammar())
    for (const auto* list : {&symbol.either, &symbol.good, &symbol.bad})
      for (const std::string_view alternative : *list) {
        if (held_out(alternative)) continue;
        std::string word;
        bool name = false;
        for (const char c : std::string(alternative) + ' ') {
          if (!name && std::islower(c) != 0) {
            word += c;
            continue;
          }
          if (word.size() > 1) words.insert(word);
          word.clear();
          if (c == '{' || c == '}') name = c == '{';
        }
      }
  words.insert("an");
  vocabulary.insert(vocabulary.end(), words.begin(), words.end());
  return vocabulary;
}

}  // namespace espalier
