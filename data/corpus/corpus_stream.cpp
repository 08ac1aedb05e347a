// SPDX-License-Identifier: Apache-2.0
#include "data/corpus/corpus_stream.h"

#include <algorithm>
#include <numeric>
#include <span>

#include "core/check.h"
#include "data/corpus/streams.h"

namespace espalier {

CorpusStream::CorpusStream(const Corpus& corpus, const HeldOut& held_out, Part part, const Tokenizer& tokenizer,
                           const StreamOptions& options)
    : corpus_(&corpus),
      held_out_(&held_out),
      part_(part),
      tokenizer_(&tokenizer),
      options_(options),
      masking_(tokenizer, options.masks, options.seed) {
  start_pass(0);
}

void CorpusStream::start_pass(int64_t pass, int64_t document) {
  std::vector<size_t> order(corpus_->files().size());
  std::iota(order.begin(), order.end(), 0);
  if (options_.shuffle) random_of(options_.seed, Draw::order, pass, 0).shuffle(order);
  block_ = {.pass = pass, .document = document};
  bytes_ = 0;
  sequences_.clear();
  sequence_ = 0;
  reader_.emplace(*corpus_, std::move(order), document);
}

// The first window of a pass is cut shorter, so that others are together in each.
int64_t CorpusStream::window_of_block() const {
  if (!options_.shuffle || block_.document > 0) return options_.window;
  const auto half = static_cast<uint64_t>(options_.window / 2);
  return options_.window - static_cast<int64_t>(random_of(options_.seed, Draw::order, block_.pass, 1).below(half + 1));
}

bool CorpusStream::read_block() {
  constexpr int64_t most_bytes = int64_t{8} << 20;  // of text in memory that is not tokenized yet
  const int64_t window = window_of_block();
  documents_ = {};
  std::vector<Document> documents;
  std::vector<int64_t> numbers;
  int64_t bytes = 0, held = 0, number = 0;
  const auto tokenize = [&] {
    documents_.append(documents, numbers, *tokenizer_, options_.sequences);
    documents.clear();
    numbers.clear();
    held = 0;
  };
  for (Document document; bytes < window && reader_->next(document, number);) {
    const int64_t size = document.bytes();
    bytes_ += size;
    if (held_out_->takes(number) != (part_ == Part::held_out)) continue;
    bytes += size;
    held += size;
    documents.push_back(std::move(document));
    numbers.push_back(number);
    if (held >= most_bytes) tokenize();
  }
  tokenize();
  return bytes > 0;
}

bool CorpusStream::load_block() {
  block_.document = reader_->place();
  if (!read_block()) return false;
  sequences_ = make_sequences(documents_, options_.sequences, *tokenizer_, options_.seed, block_.pass);
  const auto fits = [&](int64_t begin, int64_t end) {
    return masking_.fits(
        std::span(documents_.ids).subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin)));
  };
  std::erase_if(sequences_,
                [&](const Sequence& s) { return !fits(s.first, s.first_end) && !fits(s.second, s.second_end); });
  if (options_.shuffle) random_of(options_.seed, Draw::order, block_.pass, 2 + block_.document).shuffle(sequences_);
  return true;
}

// Goes to the block that has the next sequence; false where the pass is over.
bool CorpusStream::advance() {
  while (sequence_ == sequences_.size()) {
    block_.number += std::ssize(sequences_);
    sequences_.clear();
    sequence_ = 0;
    if (!load_block()) return false;
  }
  return true;
}

void CorpusStream::append_sequence(TokenizedDataset& data) {
  const Sequence& sequence = sequences_[sequence_];
  std::vector<int32_t> ids;
  const int32_t first = write_sequence(documents_, sequence, *tokenizer_, ids);
  std::vector<int32_t> labels(ids.size());
  masking_.mask(ids, labels, {block_.pass, block_.number + static_cast<int64_t>(sequence_)});
  ++sequence_;
  data.token_labels = true;
  data.ids.append(ids);
  data.labels.append(labels);
  data.first_lengths.push_back(first);
  data.offsets.push_back(data.tokens());
  data.values.push_back(static_cast<float>(sequence.next));
}

void CorpusStream::append(int64_t sequences, TokenizedDataset& data) {
  for (int64_t i = 0; i < sequences; ++i) {
    for (int ended = 0; !advance(); start_pass(block_.pass + 1))
      CHECK(
          ++ended < 2, corpus_->files().front().string(),
          ": no text is left to learn from: all of it is held out, or every token is special, such as [UNK]; expected "
          "more text, and the vocabulary that belongs to it");
    append_sequence(data);
  }
}

void CorpusStream::append_pass(TokenizedDataset& data) {
  while (advance()) append_sequence(data);
}

int64_t CorpusStream::count(int64_t enough) const {
  CorpusStream other(*corpus_, *held_out_, part_, *tokenizer_, options_);
  int64_t count = 0;
  while (count < enough && other.load_block()) count += std::ssize(other.sequences_);
  if (count < enough || other.bytes_ == 0) return count;
  return static_cast<int64_t>(static_cast<double>(count) * static_cast<double>(corpus_->bytes()) /
                              static_cast<double>(other.bytes_));
}

Record CorpusStream::position() const {
  return {{"pass", block_.pass},
          {"document", block_.document},
          {"number", block_.number},
          {"sequence", static_cast<int64_t>(sequence_)}};
}

void CorpusStream::go_to(const Record& position, const std::string& source) {
  const int64_t pass = position.integer("pass", -1), document = position.integer("document", -1),
                number = position.integer("number", -1), sequence = position.integer("sequence", -1);
  const auto check = [&](bool holds) {
    CHECK(holds, source, ": stands at pass ", pass + 1, ", document ", document + 1, ", sequence ", sequence + 1,
          " of it, which this corpus of ", corpus_->documents(),
          " documents does not have; start anew without --resume");
  };
  check(pass >= 0 && document >= 0 && document <= corpus_->documents() && number >= 0 && sequence >= 0);
  start_pass(pass, document);
  block_.number = number;
  const bool there = load_block();
  check(there ? sequence <= std::ssize(sequences_) : sequence == 0);
  sequence_ = static_cast<size_t>(sequence);
}

}  // namespace espalier
