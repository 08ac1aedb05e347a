// SPDX-License-Identifier: Apache-2.0
// Vocabulary rows that a text never uses, cut out of word embeddings and tokenizer (Abdaoui et al. 2020,
// arXiv:2010.05609). Used by prune --vocabulary.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/models/model_source.h"

namespace espalier {

// All sentences of the files: of a .tsv, .csv, .jsonl or .json those in its columns of text; of any other file its
// lines. Throws for a file that cannot be read or holds none.
std::vector<std::string> read_sentences(std::span<const std::filesystem::path> texts);

// How often each token is met in the sentences, see Tokenizer::tokens_met.
std::vector<int64_t> count_tokens(const Tokenizer& tokenizer, std::span<const std::string> sentences);

// A model with the tokens that were met at least `least` times, in their order, and those that any text may need:
// special and added tokens, and single characters at the beginning and inside of words, which Tokenizer falls back to.
// With a `least` of 1 the counted sentences keep their pieces, and their logits have the same bits. Throws for a
// `least` below 1 and for counts of another vocabulary.
std::unique_ptr<Model> keep_tokens(const Model& model, std::span<const int64_t> counts, int64_t least = 1);

// What another vocabulary does to sentences; [CLS] and [SEP] do not count.
struct Retokenized {
  int64_t sentences = 0, changed = 0;  // changed: other pieces than before
  int64_t before = 0, after = 0;       // pieces of all sentences
};
Retokenized retokenize(const Tokenizer& before, const Tokenizer& after, std::span<const std::string> sentences);

}  // namespace espalier
