// SPDX-License-Identifier: Apache-2.0
// WordPiece: added tokens are found in the text, what lies between is split into words, each word is cut greedily
// into the longest pieces that the vocabulary has (Wu et al. 2016, "Google's Neural Machine Translation System"; Devlin
// et al. 2019, "BERT").
#include "data/text/wordpiece.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/check.h"

namespace espalier {

namespace {

constexpr std::size_t kLongestWord = 100;  // code points; a longer word is [UNK]
constexpr const char* kSpecialTokens[] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();

bool is_continuation_byte(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

bool is_too_long(std::string_view word) {
  if (word.size() <= kLongestWord) return false;
  const auto continuations = std::count_if(word.begin(), word.end(), is_continuation_byte);
  return word.size() - static_cast<std::size_t>(continuations) > kLongestWord;
}

// Hugging Face's longest_first: how much to keep of two texts so that they fit into `room` together.
std::pair<std::size_t, std::size_t> fit(std::size_t first, std::size_t second, std::size_t room) {
  if (first + second <= room) return {first, second};
  const std::size_t shorter = std::min({first, second, room / 2}), longer = room - shorter;
  return first > second ? std::pair(longer, shorter) : std::pair(shorter, longer);
}

// Calls found(id) for each of the tokens in the text and between(part) for what lies between, in order, as long as
// wanted() says so.
template <class Wanted, class FoundToken, class Between>
void cut_at(const AddedTokens& tokens, std::string_view text, Wanted wanted, FoundToken found, Between between) {
  std::size_t done = 0;
  for (auto at = tokens.find(text, 0, 0); at && wanted(); at = tokens.find(text, at->next, done)) {
    if (done < at->begin) between(text.substr(done, at->begin - done));
    found(at->id);
    done = at->end;
  }
  if (done < text.size()) between(text.substr(done));
}

}  // namespace

WordPiece::WordPiece(std::vector<std::string> vocabulary, TokenizerOptions options)
    : vocabulary_(std::move(vocabulary)), options_(std::move(options)) {
  words_.reserve(vocabulary_.size());
  for (int32_t id = 0; id < size(); ++id) {
    const std::string& token = vocabulary_[id];
    CHECK(!token.empty(), "token ", id, " of the vocabulary is empty");
    const auto [other, is_new] = words_.emplace(token, id);
    CHECK(is_new, "the vocabulary has the token ", token, " twice, as ", other->second, " and ", id);
    if (token.size() > 2 && token.starts_with("##")) suffixes_.emplace(token.substr(2), id);
    longest_ = std::max(longest_, token.size());
  }
  std::string missing;
  const auto require = [&](const std::string& token) -> int32_t {
    if (const auto found = words_.find(token); found != words_.end()) return found->second;
    missing += " " + token;
    return -1;
  };
  pad_ = require("[PAD]");
  unk_ = require("[UNK]");
  cls_ = require("[CLS]");
  sep_ = require("[SEP]");
  for (const AddedToken& token : options_.added_tokens) require(token.content);
  CHECK(missing.empty(), "the vocabulary of ", size(), " tokens lacks", missing);
  add_whole_tokens();
}

void WordPiece::add_whole_tokens() {
  std::vector<AddedToken> whole = options_.added_tokens;
  for (const char* name : kSpecialTokens)
    if (words_.contains(name) &&
        std::none_of(whole.begin(), whole.end(), [&](const auto& t) { return t.content == name; }))
      whole.push_back({.content = name, .special = true});
  std::stable_partition(whole.begin(), whole.end(), [](const AddedToken& token) { return token.special; });
  std::vector<AddedTokens::Token> raw, normalized;
  for (const AddedToken& token : whole) {
    const int32_t id = words_.find(token.content)->second;
    std::string text = token.normalized ? BertWords::normalize(token.content, options_) : token.content;
    CHECK(!text.empty(), "of the added token ", token.content, " (", id, ") nothing is left in normalized text");
    (token.normalized ? normalized : raw)
        .push_back({std::move(text), id, token.lstrip, token.rstrip, token.single_word});
    whole_.push_back(id);
  }
  for (const AddedToken& token : options_.added_tokens) {
    if (token.piece) continue;
    words_.erase(token.content);
    if (token.content.starts_with("##")) suffixes_.erase(token.content.substr(2));
  }
  raw_ = AddedTokens(std::move(raw));
  normalized_ = AddedTokens(std::move(normalized));
}

WordPiece::Encoding WordPiece::encode(std::string_view text, int max_length) const {
  CHECK(max_length >= 2, "max_length ", max_length, " has no room for [CLS] and [SEP]; it must be at least 2");
  const auto room = static_cast<std::size_t>(max_length) - 2;
  Encoding result;
  result.ids.push_back(cls_);
  append_ids(text, room, result.ids);
  if (result.ids.size() > room + 1) result.ids.resize(room + 1);
  result.ids.push_back(sep_);
  result.segments.assign(result.ids.size(), 0);
  return result;
}

WordPiece::Encoding WordPiece::encode_pair(std::string_view first, std::string_view second, int max_length) const {
  CHECK(max_length >= 3, "max_length ", max_length, " has no room for [CLS] and two [SEP]; it must be at least 3");
  std::vector<int32_t> tail;
  Encoding result;
  result.ids.push_back(cls_);
  append_ids(first, kAll, result.ids);
  append_ids(second, kAll, tail);
  const auto [keep_first, keep_second] =
      fit(result.ids.size() - 1, tail.size(), static_cast<std::size_t>(max_length) - 3);
  result.ids.resize(1 + keep_first);
  result.ids.push_back(sep_);
  result.segments.assign(result.ids.size(), 0);
  result.ids.insert(result.ids.end(), tail.begin(), tail.begin() + static_cast<std::ptrdiff_t>(keep_second));
  result.ids.push_back(sep_);
  result.segments.resize(result.ids.size(), options_.segments ? 1 : 0);
  return result;
}

std::vector<int32_t> WordPiece::tokens_met(std::string_view text) const {
  std::vector<int32_t> ids;
  append_ids(text, kAll, ids, DeadEnds::kept);
  return ids;
}

const std::string& WordPiece::token(int32_t id) const {
  CHECK(id >= 0 && id < size(), "token id ", id, " is outside the vocabulary of ", size(), " tokens");
  return vocabulary_[id];
}

// Appends the ids of `text`; may stop once it has appended `enough`.
void WordPiece::append_ids(std::string_view text, std::size_t enough, std::vector<int32_t>& ids,
                           DeadEnds dead_ends) const {
  const std::size_t before = ids.size();
  const auto wanted = [&] { return ids.size() - before < enough; };
  const auto append_token = [&](int32_t id) { ids.push_back(id); };
  const auto append_words = [&](std::string_view part, BertWords::Text kind) {
    BertWords words(part, options_, kind);
    for (auto word = words.next(); !word.empty() && wanted(); word = words.next()) append_pieces(word, ids, dead_ends);
  };
  const auto append_normalized = [&](std::string_view part) { append_words(part, BertWords::Text::normalized); };
  cut_at(raw_, text, wanted, append_token, [&](std::string_view part) {
    if (normalized_.empty()) return append_words(part, BertWords::Text::raw);
    cut_at(normalized_, BertWords::normalize(part, options_), wanted, append_token, append_normalized);
  });
}

// Greedy longest match; a word that cannot be cut into known pieces to its very end is one [UNK].
void WordPiece::append_pieces(std::string_view word, std::vector<int32_t>& ids, DeadEnds dead_ends) const {
  const std::size_t before = ids.size();
  bool known = !is_too_long(word);
  while (known && !word.empty()) {
    const Ids& pieces = ids.size() == before ? words_ : suffixes_;
    std::size_t length = std::min(word.size(), longest_);
    auto piece = pieces.find(word.substr(0, length));
    while (piece == pieces.end() && --length > 0) piece = pieces.find(word.substr(0, length));
    known = piece != pieces.end();
    if (known) ids.push_back(piece->second);
    word.remove_prefix(length);
  }
  if (!known) {
    if (dead_ends == DeadEnds::dropped) ids.resize(before);
    ids.push_back(unk_);
  }
}

}  // namespace espalier
