// SPDX-License-Identifier: Apache-2.0
// Vocabulary rows that a text never uses, cut out of word embeddings and tokenizer (Ushio et al. 2023,
// arXiv:2305.15020). Used by prune --vocabulary.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "data/model_source.h"

namespace espalier {

// How often each token of the tokenizer is used in the texts: TSV files with a header that names `sentence`, else
// files of one sentence a line. Throws for a file that is missing or empty.
std::vector<int64_t> count_tokens(const WordPiece& tokenizer, std::span<const std::filesystem::path> texts);

// A model with the tokens that are used at least `least` times, in their order, and those that any text may need:
// special and added tokens, and single characters at the beginning and inside of words, to which WordPiece falls back.
// Sentences of the counted texts keep their pieces if `least` is 1, and with them their logits, bit by bit: WordPiece
// takes the longest piece that it knows, and the longest are still there.
std::unique_ptr<Model> keep_tokens(const Model& model, std::span<const int64_t> counts, int64_t least);

}  // namespace espalier
