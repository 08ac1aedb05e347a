// SPDX-License-Identifier: Apache-2.0
#include "data/text/pair_merging.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace espalier {
namespace {

using Pair = std::pair<int32_t, int32_t>;

struct HashOfPair {
  std::size_t operator()(const Pair& pair) const {
    const uint64_t h =
        (static_cast<uint64_t>(pair.first) << 32 | static_cast<uint32_t>(pair.second)) * 0x9E3779B97F4A7C15;
    return h ^ h >> 32;
  }
};

template <class Value>
using ByPair = std::unordered_map<Pair, Value, HashOfPair>;

struct Candidate {
  int64_t count;
  Pair pair;
  std::vector<int32_t> words;  // where the pair was met

  bool operator<(const Candidate& other) const {
    return count != other.count ? count < other.count : pair > other.pair;
  }
};

class Merger {
 public:
  explicit Merger(std::vector<CountedWord> words) : words_(std::move(words)) {
    for (std::size_t w = 0; w < words_.size(); ++w) {
      const auto& tokens = words_[w].tokens;
      for (std::size_t i = 0; i + 1 < tokens.size(); ++i) meet({tokens[i], tokens[i + 1]}, words_[w].count, w);
    }
    queue_found();
  }

  // The most frequent pair, met at least `least` times; without words where there is none.
  Candidate next(int64_t least) {
    while (!queue_.empty()) {
      std::pop_heap(queue_.begin(), queue_.end());
      Candidate top = std::move(queue_.back());
      queue_.pop_back();
      if (const int64_t count = counts_[top.pair]; count != top.count) {
        top.count = count;
        queue_.push_back(std::move(top));
        std::push_heap(queue_.begin(), queue_.end());
      } else if (count < std::max<int64_t>(least, 1)) {
        break;
      } else {
        return top;
      }
    }
    return {0, {}, {}};
  }

  void merge(const Candidate& one, int32_t result) {
    for (const int32_t w : one.words) merge_word(one.pair, result, static_cast<std::size_t>(w));
    queue_found();
  }

 private:
  void meet(Pair pair, int64_t count, std::size_t word) {
    counts_[pair] += count;
    auto& words = found_[pair];
    const auto w = static_cast<int32_t>(word);
    if (words.empty() || words.back() != w) words.push_back(w);
  }

  // The pairs that were found since the last time.
  void queue_found() {
    for (auto& [pair, words] : found_) {
      const int64_t count = counts_[pair];
      if (count <= 0) continue;
      queue_.push_back({count, pair, std::move(words)});
      std::push_heap(queue_.begin(), queue_.end());
    }
    found_.clear();
  }

  // From left to right. The count of the merged pair itself stays as it was, as in tokenizers.
  void merge_word(Pair pair, int32_t result, std::size_t w) {
    auto& [tokens, count] = words_[w];
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
      if (tokens[i] != pair.first || tokens[i + 1] != pair.second) continue;
      if (i > 0) {
        counts_[{tokens[i - 1], pair.first}] -= count;
        meet({tokens[i - 1], result}, count, w);
      }
      tokens[i] = result;
      tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      if (i + 1 < tokens.size()) {
        counts_[{pair.second, tokens[i + 1]}] -= count;
        meet({result, tokens[i + 1]}, count, w);
      }
    }
  }

  std::vector<CountedWord> words_;
  ByPair<int64_t> counts_;
  ByPair<std::vector<int32_t>> found_;
  std::vector<Candidate> queue_;  // a heap
};

// Of merges that are there twice the last one, as tokenizers keeps them.
std::vector<std::string> last_ones(const std::vector<std::string>& merges) {
  std::vector<std::string> kept;
  std::unordered_set<std::string_view> seen;
  for (auto merge = merges.rbegin(); merge != merges.rend(); ++merge)
    if (seen.insert(*merge).second) kept.push_back(*merge);
  std::ranges::reverse(kept);
  return kept;
}

}  // namespace

std::vector<std::string> PairMerging::run(std::vector<CountedWord> words, std::vector<std::string>& vocabulary) const {
  std::unordered_map<std::string, int32_t> ids;
  for (std::size_t i = 0; i < vocabulary.size(); ++i) ids.emplace(vocabulary[i], static_cast<int32_t>(i));
  Merger merger(std::move(words));
  std::vector<std::string> merges;
  while (std::ssize(vocabulary) < size) {
    const Candidate best = merger.next(least);
    if (best.words.empty()) break;
    const std::string left = vocabulary[static_cast<std::size_t>(best.pair.first)],
                      right = vocabulary[static_cast<std::size_t>(best.pair.second)];
    const std::size_t skipped = !prefix.empty() && right.starts_with(prefix) ? prefix.size() : 0;
    const std::string token = left + right.substr(skipped);
    const auto [place, is_new] = ids.emplace(token, static_cast<int32_t>(vocabulary.size()));
    if (is_new) vocabulary.push_back(token);
    merges.push_back(left + ' ' + right);
    merger.merge(best, place->second);
    if (progress) progress(std::ssize(vocabulary));
  }
  return last_ones(merges);
}

}  // namespace espalier
