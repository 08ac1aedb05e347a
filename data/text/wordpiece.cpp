// SPDX-License-Identifier: Apache-2.0
#include "data/text/wordpiece.h"

#include <algorithm>
#include <set>

namespace espalier {

namespace {

bool is_continuation_byte(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

bool is_suffix(std::string_view token) { return token.size() > 2 && token.starts_with("##"); }

}  // namespace

WordPiece::WordPiece(std::span<const std::string> vocabulary, const TokenizerOptions& options, int32_t unk)
    : options_(options),
      words_(vocabulary.size()),
      suffixes_(static_cast<std::size_t>(std::ranges::count_if(vocabulary, is_suffix))),
      unk_(unk) {
  std::set<std::string_view> merely_added;
  for (const AddedToken& token : options.added_tokens)
    if (!token.piece) merely_added.insert(token.content);
  for (std::size_t i = 0; i < vocabulary.size(); ++i) {
    const std::string_view token = vocabulary[i];
    if (merely_added.contains(token)) continue;
    const auto id = static_cast<int32_t>(i);
    words_.insert(token, id);
    if (is_suffix(token)) suffixes_.insert(token.substr(2), id);
  }
}

void WordPiece::append(std::string_view part, Text kind, std::size_t enough, std::vector<int32_t>& ids,
                       Wanted wanted) const {
  BertWords words(part, options_, kind);
  for (auto word = words.next(); !word.empty() && ids.size() < enough; word = words.next())
    append_word(word, ids, wanted);
}

// Greedy longest match; a word that cannot be cut into known pieces to its very end is one [UNK].
void WordPiece::append_word(std::string_view word, std::vector<int32_t>& ids, Wanted wanted) const {
  const std::size_t before = ids.size();
  bool known = !is_too_long(word);
  while (known && !word.empty()) {
    const ByteTable& pieces = ids.size() == before ? words_ : suffixes_;
    std::size_t length = std::min(word.size(), pieces.longest());
    int32_t id = ByteTable::none;
    for (; length > 0; --length)
      if (id = pieces.find(word.substr(0, length)); id != ByteTable::none) break;
    known = id != ByteTable::none;
    if (known) ids.push_back(id);
    word.remove_prefix(length);
  }
  if (known) return;
  if (wanted == Wanted::result) ids.resize(before);
  ids.push_back(unk_);
}

bool WordPiece::is_too_long(std::string_view word) const {
  const auto longest = static_cast<std::size_t>(options_.longest_word);
  if (word.size() <= longest) return false;
  return word.size() - static_cast<std::size_t>(std::ranges::count_if(word, is_continuation_byte)) > longest;
}

}  // namespace espalier
