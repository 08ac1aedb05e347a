// SPDX-License-Identifier: Apache-2.0
// From documents to the sequences that pre-training reads: pairs of texts, or one text, of up to so many tokens. Used
// by data/corpus/corpus.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/corpus/documents.h"
#include "data/text/loader.h"
#include "data/text/tokenizer.h"

namespace espalier {

struct SequenceOptions {
  int max_length = 128;          // tokens, with [CLS] and [SEP]
  bool pairs = true;             // --next-sentence
  double short_sequences = 0.1;  // share of the documents with pairs that are cut into shorter ones
};

// Documents end to end: tokens, lines (or parts of those that are longer than a text may be), documents.
struct TokenizedDocuments {
  std::vector<int32_t> ids = {};
  std::vector<int64_t> lines = {0};      // [L + 1] line i is ids[lines[i]] … ids[lines[i + 1]]
  std::vector<int64_t> documents = {0};  // [D + 1] document d is the lines documents[d] … documents[d + 1]
  std::vector<int64_t> numbers = {};     // [D] of the documents in the corpus

  int64_t size() const { return std::ssize(numbers); }
  // Tokenizes them, in parallel. Lines without a token are left out, and so are documents without a line.
  void append(std::span<const Document> more, std::span<const int64_t> more_numbers, const Tokenizer& tokenizer,
              const SequenceOptions& options);
};

// Parts of TokenizedDocuments::ids: from … to, each without its end.
struct Sequence {
  int64_t first = 0, first_end = 0;
  int64_t second = 0, second_end = 0;  // nothing: it is one text
  int32_t next = -1;                   // 0: the second text follows the first; 1: it was drawn at random; -1: no pair
};

// The sequences of all documents, in their order. With pairs as create_pretraining_data.py of BERT makes them (Devlin
// et al. 2019, arXiv:1810.04805, appendix A.2): lines that follow each other, cut in two at a random place; for half of
// them the second part is taken from another document, and what stood there is used next. Without pairs: lines of one
// document that follow each other, as many as there is room for (DOC-SENTENCES, Liu et al. 2019, arXiv:1907.11692).
// Random numbers depend on seed, pass and the document's number alone, other documents are drawn from these. Where
// there is one document only, no second text is drawn.
std::vector<Sequence> make_sequences(const TokenizedDocuments& documents, const SequenceOptions& options,
                                     const Tokenizer& tokenizer, uint64_t seed, int64_t pass);

// [CLS] first [SEP], or [CLS] first [SEP] second [SEP] as Tokenizer::encode_pair has it. Returns the tokens of segment
// 0; `ids` gets all.
int32_t write_sequence(const TokenizedDocuments& documents, const Sequence& sequence, const Tokenizer& tokenizer,
                       std::vector<int32_t>& ids);

}  // namespace espalier
