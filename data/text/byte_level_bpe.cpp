// SPDX-License-Identifier: Apache-2.0
#include "data/text/byte_level_bpe.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <limits>
#include <unordered_set>
#include <utility>

#include "core/check.h"
#include "core/quoted.h"
#include "data/text/gpt2_words.h"
#include "data/text/unicode_classes.h"

namespace espalier {
namespace {

constexpr int32_t kNoMerge = std::numeric_limits<int32_t>::max();

int64_t pair_of(int32_t left, int32_t right) { return int64_t{left} << 32 | right; }

std::size_t hash_of(int64_t pair) {
  const uint64_t h = static_cast<uint64_t>(pair) * 0x9E3779B97F4A7C15;
  return h ^ h >> 32;
}

// The tokens of a merge; the second one is empty where there are not two.
std::pair<std::string_view, std::string_view> parts_of(std::string_view merge) {
  const std::size_t space = merge.find(' ');
  if (space == std::string_view::npos || space == 0 || merge.find(' ', space + 1) != std::string_view::npos)
    return {merge, {}};
  return {merge.substr(0, space), merge.substr(space + 1)};
}

std::string result_of(std::string_view merge) {
  const auto [left, right] = parts_of(merge);
  return std::string(left) + std::string(right);
}

// The bytes that the letters of a token stand for; empty where one stands for none.
std::string bytes_of(std::string_view token) {
  static const std::unordered_map<std::string_view, char> bytes = [] {
    std::unordered_map<std::string_view, char> all;
    for (int b = 0; b < 256; ++b) all.emplace(byte_letters()[b], static_cast<char>(b));
    return all;
  }();
  std::string result;
  for (std::size_t at = 0; at < token.size();) {
    const std::size_t begin = at;
    read_code_point(token, at);
    const auto found = bytes.find(token.substr(begin, at - begin));
    if (found == bytes.end()) return "";
    result += found->second;
  }
  return result;
}

}  // namespace

const std::array<std::string, 256>& byte_letters() {
  static const std::array<std::string, 256> letters = [] {
    std::array<std::string, 256> all;
    char32_t next = 256;
    for (char32_t b = 0; b < 256; ++b) {
      const bool printable = (b > 32 && b < 127) || (b > 160 && b != 173);
      append_utf8(all[b], printable ? b : next++);
    }
    return all;
  }();
  return letters;
}

std::vector<std::string> merges_among(const std::set<std::string_view>& tokens, std::span<const std::string> merges) {
  std::unordered_set<std::string> made(byte_letters().begin(), byte_letters().end());
  const auto can_be_done = [&](const std::string& merge) {
    const auto [left, right] = parts_of(merge);
    return made.contains(std::string(left)) && made.contains(std::string(right)) && tokens.contains(result_of(merge));
  };
  for (std::size_t before = 0; before != made.size();) {  // a merge may stand before those that make its tokens
    before = made.size();
    for (const std::string& merge : merges)
      if (can_be_done(merge)) made.insert(result_of(merge));
  }
  std::vector<std::string> kept;
  std::ranges::copy_if(merges, std::back_inserter(kept), can_be_done);
  return kept;
}

void ByteLevelBpe::check_merges(const Ids& vocabulary, std::span<const std::string> merges,
                                const std::function<std::string(std::size_t)>& place) {
  std::unordered_set<std::string> made(byte_letters().begin(), byte_letters().end());
  std::unordered_set<std::string_view> seen;
  for (std::size_t i = 0; i < merges.size(); ++i) {
    const auto [left, right] = parts_of(merges[i]);
    CHECK(!right.empty(), place(i), ": the merge is ", quoted(merges[i]),
          "; expected two tokens with one space between them");
    std::string result = result_of(merges[i]);
    for (const std::string_view token : {left, right, std::string_view(result)})
      CHECK(vocabulary.contains(token), place(i), ": the merge ", quoted(merges[i]), " needs the token ", quoted(token),
            ", which the vocabulary lacks; take merges and vocabulary of the same model");
    CHECK(seen.insert(merges[i]).second, place(i), ": the merge ", quoted(merges[i]), " is there a second time");
    made.insert(std::move(result));
  }
  for (std::size_t i = 0; i < merges.size(); ++i) {
    const auto [left, right] = parts_of(merges[i]);
    for (const std::string_view token : {left, right})
      CHECK(made.contains(std::string(token)), place(i), ": the merge ", quoted(merges[i]), " needs ", quoted(token),
            ", which no merge makes; take all merges, as the model's author wrote them");
  }
}

ByteLevelBpe::ByteLevelBpe(std::span<const std::string> vocabulary, const TokenizerOptions& options)
    : add_prefix_space_(options.add_prefix_space),
      merges_(std::bit_ceil(2 * options.merges.size() + 2)),
      words_(vocabulary.size()) {
  std::set<std::string_view> merely_added;
  for (const AddedToken& token : options.added_tokens)
    if (!token.piece) merely_added.insert(token.content);
  Ids ids;
  ids.reserve(vocabulary.size());
  for (std::size_t i = 0; i < vocabulary.size(); ++i)
    if (!merely_added.contains(vocabulary[i])) ids.emplace(vocabulary[i], static_cast<int32_t>(i));
  for (int b = 0; b < 256; ++b) {
    const auto found = ids.find(byte_letters()[b]);
    CHECK(found != ids.end(), "the vocabulary lacks ", quoted(byte_letters()[b]), ", the letter of byte ", b,
          "; expected one for each of the 256 bytes: take the vocabulary of a byte-level BPE");
    bytes_[b] = found->second;
  }
  check_merges(ids, options.merges, [](std::size_t i) { return "merge " + std::to_string(i + 1); });
  add_merges(ids, options.merges);
  Scratch scratch;
  std::vector<int32_t> result;
  for (const auto& [token, id] : ids) {
    const std::string word = bytes_of(token);
    result.clear();
    if (!word.empty()) merge_word(word, scratch, result, Wanted::result);
    if (result.size() == 1 && result[0] == id) words_.insert(word, id);
  }
}

void ByteLevelBpe::add_merges(const Ids& vocabulary, std::span<const std::string> merges) {
  for (std::size_t i = 0; i < merges.size(); ++i) {
    const auto [left, right] = parts_of(merges[i]);
    const int64_t pair = pair_of(vocabulary.at(left), vocabulary.at(right));
    std::size_t at = hash_of(pair) & (merges_.size() - 1);
    while (merges_[at].pair >= 0) at = (at + 1) & (merges_.size() - 1);
    merges_[at] = {pair, static_cast<int32_t>(i), vocabulary.at(result_of(merges[i]))};
  }
}

const ByteLevelBpe::Merge* ByteLevelBpe::find_merge(int32_t left, int32_t right) const {
  const int64_t pair = pair_of(left, right);
  for (std::size_t at = hash_of(pair) & (merges_.size() - 1);; at = (at + 1) & (merges_.size() - 1)) {
    if (merges_[at].pair == pair) return &merges_[at];
    if (merges_[at].pair < 0) return nullptr;
  }
}

void ByteLevelBpe::append(std::string_view part, WordPiece::Text /*kind*/, std::size_t enough,
                          std::vector<int32_t>& ids, Wanted wanted) const {
  std::string prefixed;
  if (add_prefix_space_ && !part.empty() && part[0] != ' ') {
    prefixed = ' ' + std::string(part);
    part = prefixed;
  }
  Scratch scratch;
  for (std::size_t begin = 0, end = 0; begin < part.size() && ids.size() < enough; begin = end) {
    end = end_of_gpt2_word(part, begin);
    const std::string_view word = part.substr(begin, end - begin);
    const int32_t id = wanted == Wanted::result ? words_.find(word) : ByteTable::none;
    if (id != ByteTable::none)
      ids.push_back(id);
    else
      merge_word(word, scratch, ids, wanted);
  }
}

// The pair with the lowest rank is merged, and of equal pairs the first one, until there is none.
void ByteLevelBpe::merge_short_word(std::string_view word, std::vector<int32_t>& ids) const {
  std::array<Neighbours, kShortWord> all;
  std::size_t size = word.size();
  const auto look_up = [&](std::size_t i) {
    const Merge* const merge = i + 1 < size ? find_merge(all[i].token, all[i + 1].token) : nullptr;
    all[i].rank = merge != nullptr ? merge->rank : kNoMerge;
    all[i].result = merge != nullptr ? merge->id : 0;
  };
  for (std::size_t i = 0; i < size; ++i) all[i].token = bytes_[static_cast<unsigned char>(word[i])];
  for (std::size_t i = 0; i < size; ++i) look_up(i);
  const auto less = [](const Neighbours& a, const Neighbours& b) { return a.rank < b.rank; };
  while (true) {
    auto* const best = std::min_element(all.data(), all.data() + size, less);
    if (best->rank == kNoMerge) break;
    best->token = best->result;
    std::move(best + 2, all.data() + size, best + 1);
    --size;
    const auto at = static_cast<std::size_t>(best - all.data());
    if (at > 0) look_up(at - 1);
    look_up(at);
  }
  for (std::size_t i = 0; i < size; ++i) ids.push_back(all[i].token);
}

// The same for words of any length, with a heap.
void ByteLevelBpe::merge_word(std::string_view word, Scratch& scratch, std::vector<int32_t>& ids, Wanted wanted) const {
  if (wanted == Wanted::result && word.size() <= kShortWord) return merge_short_word(word, ids);
  auto& [symbols, due] = scratch;
  symbols.clear();
  const auto size = static_cast<int64_t>(word.size());
  for (int64_t i = 0; i < size; ++i)
    symbols.push_back({bytes_[static_cast<unsigned char>(word[i])], i - 1, i + 1 < size ? i + 1 : -1});
  if (wanted == Wanted::all_met)
    for (const Symbol& symbol : symbols) ids.push_back(symbol.id);
  for (int64_t i = 0; i < size; ++i) add_due(i, scratch);
  while (!due.empty()) {
    std::pop_heap(due.begin(), due.end());
    const Due one = due.back();
    due.pop_back();
    Symbol& left = symbols[one.place];
    if (left.id < 0 || left.next < 0) continue;
    Symbol& right = symbols[left.next];
    const Merge* const merge = find_merge(left.id, right.id);
    if (merge == nullptr || merge->id != one.id) continue;  // what stood there has been merged
    left.id = one.id;
    left.next = right.next;
    right.id = -1;
    if (left.next >= 0) symbols[left.next].previous = one.place;
    if (wanted == Wanted::all_met) ids.push_back(one.id);
    if (left.previous >= 0) add_due(left.previous, scratch);
    add_due(one.place, scratch);
  }
  if (wanted == Wanted::all_met) return;
  for (const Symbol& symbol : symbols)
    if (symbol.id >= 0) ids.push_back(symbol.id);
}

void ByteLevelBpe::add_due(int64_t place, Scratch& scratch) const {
  const Symbol& left = scratch.symbols[place];
  if (left.next < 0) return;
  const Merge* const merge = find_merge(left.id, scratch.symbols[left.next].id);
  if (merge == nullptr) return;
  scratch.due.push_back({merge->rank, merge->id, place});
  std::push_heap(scratch.due.begin(), scratch.due.end());
}

}  // namespace espalier
