// SPDX-License-Identifier: Apache-2.0
// What WordPiece and byte-level BPE have in common: special and added tokens are found in the text first, and what lies
// between them is cut into pieces.
#include "data/text/tokenizer.h"

#include <algorithm>
#include <array>
#include <limits>
#include <unordered_map>
#include <utility>

#include "core/check.h"

namespace espalier {

namespace {

constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();

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

Tokenizer::Tokenizer(std::vector<std::string> vocabulary, TokenizerOptions options)
    : vocabulary_(std::move(vocabulary)), options_(std::move(options)), pieces_(make_pieces()) {
  add_whole_tokens();
}

void Tokenizer::find_special_tokens() {
  std::unordered_map<std::string_view, int32_t> ids;
  ids.reserve(vocabulary_.size());
  for (int32_t id = 0; id < size(); ++id) {
    const std::string& token = vocabulary_[id];
    CHECK(!token.empty(), "token ", id, " of the vocabulary is empty");
    const auto [other, is_new] = ids.emplace(token, id);
    CHECK(is_new, "the vocabulary has the token ", token, " twice, as ", other->second, " and ", id);
  }
  std::string missing;
  const auto require = [&](const std::string& token) -> int32_t {
    if (const auto found = ids.find(token); found != ids.end()) return found->second;
    missing += " " + token;
    return -1;
  };
  pad_ = require(options_.special.pad);
  unk_ = require(options_.special.unk);
  cls_ = require(options_.special.cls);
  sep_ = require(options_.special.sep);
  if (const auto found = ids.find(options_.special.mask); found != ids.end()) mask_ = found->second;
  for (const AddedToken& token : options_.added_tokens) require(token.content);
  CHECK(missing.empty(), "the vocabulary of ", size(), " tokens lacks", missing);
}

Tokenizer::Pieces Tokenizer::make_pieces() {
  find_special_tokens();
  if (is_bpe()) return ByteLevelBpe(vocabulary_, options_);
  return WordPiece(vocabulary_, options_, unk_);
}

void Tokenizer::add_whole_tokens() {
  std::unordered_map<std::string_view, int32_t> ids;
  for (int32_t id = 0; id < size(); ++id) ids.emplace(vocabulary_[id], id);
  std::vector<AddedToken> whole = options_.added_tokens;
  const auto& [pad, unk, cls, sep, mask] = options_.special;
  for (const std::string& name : {pad, unk, cls, sep, mask})
    if (ids.contains(name) && std::ranges::find(whole, name, &AddedToken::content) == whole.end())
      whole.push_back({.content = name, .special = true});
  std::stable_partition(whole.begin(), whole.end(), [](const AddedToken& token) { return token.special; });
  std::vector<AddedTokens::Token> raw, normalized;
  for (const AddedToken& token : whole) {
    const int32_t id = ids.at(token.content);
    const auto normalize = [&](const auto& pieces) { return pieces.normalize(token.content); };
    std::string text = token.normalized ? std::visit(normalize, pieces_) : token.content;
    CHECK(!text.empty(), "of the added token ", token.content, " (", id, ") nothing is left in normalized text");
    (token.normalized ? normalized : raw)
        .push_back({std::move(text), id, token.lstrip, token.rstrip, token.single_word});
    whole_.push_back(id);
  }
  raw_ = AddedTokens(std::move(raw));
  normalized_ = AddedTokens(std::move(normalized));
}

Tokenizer::Encoding Tokenizer::encode(std::string_view text, int max_length) const {
  CHECK(max_length >= 2, "max_length ", max_length, " has no room for ", token(cls_), " and ", token(sep_),
        "; it must be at least 2");
  const auto room = static_cast<std::size_t>(max_length) - 2;
  Encoding result;
  result.ids.reserve(std::min(room, text.size() / 3) + 8);
  result.ids.push_back(cls_);
  append_ids(text, room + 1, result.ids);
  if (result.ids.size() > room + 1) result.ids.resize(room + 1);
  result.ids.push_back(sep_);
  result.segments.assign(result.ids.size(), 0);
  return result;
}

Tokenizer::Encoding Tokenizer::encode_pair(std::string_view first, std::string_view second, int max_length) const {
  const int between = is_bpe() ? 2 : 1, specials = between + 2;
  CHECK(max_length >= specials, "max_length ", max_length, " has no room for ", token(cls_), " and ",
        between == 1 ? "two " : "three ", token(sep_), "; it must be at least ", specials);
  std::vector<int32_t> tail;
  Encoding result;
  result.ids.push_back(cls_);
  append_ids(first, kAll, result.ids);
  append_ids(second, kAll, tail);
  const auto [keep_first, keep_second] =
      fit(result.ids.size() - 1, tail.size(), static_cast<std::size_t>(max_length - specials));
  result.ids.resize(1 + keep_first);
  result.ids.insert(result.ids.end(), between, sep_);
  result.segments.assign(result.ids.size(), 0);
  result.ids.insert(result.ids.end(), tail.begin(), tail.begin() + static_cast<std::ptrdiff_t>(keep_second));
  result.ids.push_back(sep_);
  result.segments.resize(result.ids.size(), options_.segments && !is_bpe() ? 1 : 0);
  return result;
}

std::vector<int32_t> Tokenizer::tokens_met(std::string_view text) const {
  std::vector<int32_t> ids;
  append_ids(text, kAll, ids, WordPiece::Wanted::all_met);
  return ids;
}

const std::string& Tokenizer::token(int32_t id) const {
  CHECK(id >= 0 && id < size(), "token id ", id, " is outside the vocabulary of ", size(), " tokens");
  return vocabulary_[id];
}

bool Tokenizer::continues_word(int32_t id) const {
  return is_bpe() ? !token(id).starts_with(byte_letters()[' ']) : token(id).starts_with("##");
}

// Appends the ids of `text`; may stop once there are `enough`.
void Tokenizer::append_ids(std::string_view text, std::size_t enough, std::vector<int32_t>& ids,
                           WordPiece::Wanted what) const {
  using Text = WordPiece::Text;
  const auto wanted = [&] { return ids.size() < enough; };
  const auto append_token = [&](int32_t id) { ids.push_back(id); };
  const auto append_part = [&](std::string_view part, Text kind) {
    std::visit([&](const auto& pieces) { pieces.append(part, kind, enough, ids, what); }, pieces_);
  };
  cut_at(raw_, text, wanted, append_token, [&](std::string_view part) {
    if (normalized_.empty()) return append_part(part, Text::raw);
    const std::string normal = std::visit([&](const auto& pieces) { return pieces.normalize(part); }, pieces_);
    cut_at(normalized_, normal, wanted, append_token, [&](std::string_view p) { append_part(p, Text::normalized); });
  });
}

}  // namespace espalier
