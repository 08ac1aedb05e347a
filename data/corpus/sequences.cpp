// SPDX-License-Identifier: Apache-2.0
#include "data/corpus/sequences.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "core/parallel.h"
#include "data/corpus/streams.h"
#include "data/text/splitmix.h"

namespace espalier {
namespace {

constexpr int64_t documents_of_a_task = 64;

bool is_bpe(const Tokenizer& tokenizer) { return tokenizer.options().kind == TokenizerKind::byte_level_bpe; }

// Tokens of text in a sequence.
int64_t room_of(const SequenceOptions& options, bool bpe) {
  return options.max_length - (options.pairs ? bpe ? 4 : 3 : 2);
}

// A line may fill one text of a pair.
int64_t longest_line(const SequenceOptions& options, bool bpe) {
  return std::max<int64_t>(1, room_of(options, bpe) / (options.pairs ? 2 : 1));
}

// Where a part that begins at `begin` ends: in front of a word if there is one to begin.
size_t end_of_part(const std::vector<int32_t>& ids, size_t begin, size_t longest, const Tokenizer& tokenizer) {
  const size_t end = begin + longest;
  if (end >= ids.size()) return ids.size();
  for (size_t at = end; at > begin + longest / 2; --at)
    if (!tokenizer.continues_word(ids[at])) return at;
  return end;
}

void append_line(const std::string& line, const Tokenizer& tokenizer, int64_t longest, TokenizedDocuments& to) {
  auto ids = tokenizer.encode(line, std::numeric_limits<int>::max()).ids;
  ids.pop_back();
  ids.erase(ids.begin());
  for (size_t begin = 0; begin < ids.size();) {
    const size_t end = end_of_part(ids, begin, static_cast<size_t>(longest), tokenizer);
    to.ids.insert(to.ids.end(), ids.begin() + static_cast<int64_t>(begin), ids.begin() + static_cast<int64_t>(end));
    to.lines.push_back(std::ssize(to.ids));
    begin = end;
  }
}

// Puts `more` behind `to`.
void append_shifted(std::vector<int64_t>& to, std::span<const int64_t> more, int64_t shift) {
  std::ranges::transform(more.subspan(1), std::back_inserter(to), [&](int64_t end) { return end + shift; });
}

// The pairs of one document.
class PairMaker {
 public:
  PairMaker(const TokenizedDocuments& all, int64_t document, int64_t room, SplitMix random)
      : all_(all), document_(document), room_(room), random_(random) {}

  void make(double short_sequences, std::vector<Sequence>& to) {
    const auto wanted = uniform() < short_sequences && room_ > 2
                            ? 2 + static_cast<int64_t>(random_.below(static_cast<uint64_t>(room_ - 1)))
                            : room_;
    const int64_t end = all_.documents[document_ + 1];
    for (int64_t begin = all_.documents[document_]; begin < end;) {
      int64_t behind = begin + 1;
      while (behind < end && tokens(begin, behind) < wanted) ++behind;
      begin = take(begin, behind, wanted, to);
    }
  }

 private:
  double uniform() { return static_cast<double>(random_.next() >> 11) * 0x1p-53; }
  int64_t below(int64_t bound) { return static_cast<int64_t>(random_.below(static_cast<uint64_t>(bound))); }
  int64_t tokens(int64_t begin, int64_t end) const { return all_.lines[end] - all_.lines[begin]; }

  // A pair from the lines begin … behind. Returns the line that comes next.
  int64_t take(int64_t begin, int64_t behind, int64_t wanted, std::vector<Sequence>& to) {
    const bool alone = behind - begin == 1;
    const int64_t middle = alone ? behind : begin + 1 + below(behind - begin - 1);
    Sequence pair{.first = all_.lines[begin], .first_end = all_.lines[middle]};
    const bool drawn = alone || uniform() < 0.5;
    if (drawn && all_.size() > 1) {
      draw_second(wanted - tokens(begin, middle), pair);
      behind = middle;
    } else if (!alone) {
      pair.second = all_.lines[middle];
      pair.second_end = all_.lines[behind];
      pair.next = 0;
    }
    cut(pair);
    to.push_back(pair);
    return behind;
  }

  void draw_second(int64_t wanted, Sequence& pair) {
    int64_t other = below(all_.size() - 1);
    if (other >= document_) ++other;
    const int64_t first = all_.documents[other], end = all_.documents[other + 1];
    const int64_t begin = first + below(end - first);
    int64_t behind = begin + 1;
    while (behind < end && tokens(begin, behind) < wanted) ++behind;
    pair.second = all_.lines[begin];
    pair.second_end = all_.lines[behind];
    pair.next = 1;
  }

  // Tokens go from the longer text, at its front or at its end, until both have room.
  void cut(Sequence& pair) {
    while (pair.first_end - pair.first + pair.second_end - pair.second > room_) {
      const bool first = pair.first_end - pair.first > pair.second_end - pair.second;
      if (uniform() < 0.5)
        ++(first ? pair.first : pair.second);
      else
        --(first ? pair.first_end : pair.second_end);
    }
  }

  const TokenizedDocuments& all_;
  int64_t document_, room_;
  SplitMix random_;
};

void make_texts(const TokenizedDocuments& all, int64_t document, int64_t room, std::vector<Sequence>& to) {
  const int64_t end = all.documents[document + 1];
  for (int64_t begin = all.documents[document]; begin < end;) {
    int64_t behind = begin + 1;
    while (behind < end && all.lines[behind + 1] - all.lines[begin] <= room) ++behind;
    to.push_back({.first = all.lines[begin], .first_end = all.lines[behind]});
    begin = behind;
  }
}

}  // namespace

void TokenizedDocuments::append(std::span<const Document> more, std::span<const int64_t> more_numbers,
                                const Tokenizer& tokenizer, const SequenceOptions& options) {
  const int64_t count = std::ssize(more), longest = longest_line(options, is_bpe(tokenizer));
  std::vector<TokenizedDocuments> parts(static_cast<size_t>((count + documents_of_a_task - 1) / documents_of_a_task));
  parallel_for(std::ssize(parts), [&](int64_t i) {
    TokenizedDocuments& part = parts[static_cast<size_t>(i)];
    for (int64_t d = i * documents_of_a_task; d < std::min(count, (i + 1) * documents_of_a_task); ++d) {
      for (const std::string& line : more[static_cast<size_t>(d)].lines) append_line(line, tokenizer, longest, part);
      if (std::ssize(part.lines) - 1 == part.documents.back()) continue;
      part.documents.push_back(std::ssize(part.lines) - 1);
      part.numbers.push_back(more_numbers[static_cast<size_t>(d)]);
    }
  });
  for (TokenizedDocuments& part : parts) {
    append_shifted(lines, part.lines, std::ssize(ids));
    append_shifted(documents, part.documents, documents.back());
    ids.insert(ids.end(), part.ids.begin(), part.ids.end());
    numbers.insert(numbers.end(), part.numbers.begin(), part.numbers.end());
    part = {};
  }
}

std::vector<Sequence> make_sequences(const TokenizedDocuments& documents, const SequenceOptions& options,
                                     const Tokenizer& tokenizer, uint64_t seed, int64_t pass) {
  const int64_t room = room_of(options, is_bpe(tokenizer)), count = documents.size();
  std::vector<std::vector<Sequence>> parts(
      static_cast<size_t>((count + documents_of_a_task - 1) / documents_of_a_task));
  parallel_for(std::ssize(parts), [&](int64_t i) {
    std::vector<Sequence>& part = parts[static_cast<size_t>(i)];
    for (int64_t d = i * documents_of_a_task; d < std::min(count, (i + 1) * documents_of_a_task); ++d)
      if (options.pairs)
        PairMaker(documents, d, room, random_of(seed, Draw::pairs, pass, documents.numbers[static_cast<size_t>(d)]))
            .make(options.short_sequences, part);
      else
        make_texts(documents, d, room, part);
  });
  std::vector<Sequence> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

int32_t write_sequence(const TokenizedDocuments& documents, const Sequence& sequence, const Tokenizer& tokenizer,
                       std::vector<int32_t>& ids) {
  const auto text = [&](int64_t begin, int64_t end) {
    ids.insert(ids.end(), documents.ids.begin() + begin, documents.ids.begin() + end);
    ids.push_back(tokenizer.sep());
  };
  ids.assign(1, tokenizer.cls());
  text(sequence.first, sequence.first_end);
  if (sequence.second == sequence.second_end) return static_cast<int32_t>(ids.size());
  const bool bpe = is_bpe(tokenizer);
  if (bpe) ids.push_back(tokenizer.sep());
  const auto first = static_cast<int32_t>(ids.size());
  text(sequence.second, sequence.second_end);
  return bpe || !tokenizer.options().segments ? static_cast<int32_t>(ids.size()) : first;
}

}  // namespace espalier
