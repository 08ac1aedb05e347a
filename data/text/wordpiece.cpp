// SPDX-License-Identifier: Apache-2.0
// WordPiece: added tokens are found in the raw text, what lies between is split into words, each word is cut greedily
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
  whole_ = {pad_, unk_, cls_, sep_};
  if (const auto mask = words_.find("[MASK]"); mask != words_.end()) whole_.push_back(mask->second);
  for (const std::string& token : options_.added_tokens) whole_.push_back(require(token));
  CHECK(missing.empty(), "the vocabulary of ", size(), " tokens lacks", missing);

  std::ranges::sort(whole_, [&](int32_t a, int32_t b) { return vocabulary_[a].size() > vocabulary_[b].size(); });
  for (const int32_t id : whole_)
    if (whole_starts_.find(vocabulary_[id][0]) == std::string::npos) whole_starts_ += vocabulary_[id][0];
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
  result.segments.resize(result.ids.size(), 1);
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
  const auto append_words = [&](std::string_view part) {
    BertWords words(part, options_);
    for (auto word = words.next(); !word.empty() && ids.size() - before < enough; word = words.next())
      append_pieces(word, ids, dead_ends);
  };
  std::size_t done = 0, start = 0;
  while (ids.size() - before < enough && (start = text.find_first_of(whole_starts_, start)) != text.npos) {
    const auto matches = [&](int32_t id) { return text.substr(start).starts_with(vocabulary_[id]); };
    const auto found = std::ranges::find_if(whole_, matches);
    if (found == whole_.end()) {
      ++start;
      continue;
    }
    append_words(text.substr(done, start - done));
    ids.push_back(*found);
    done = start += vocabulary_[*found].size();
  }
  append_words(text.substr(done));
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
