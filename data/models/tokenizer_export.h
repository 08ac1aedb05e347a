// SPDX-License-Identifier: Apache-2.0
// The tokenizer's files in a Hugging Face directory. Used by the exports and by train_vocab.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "data/text/tokenizer.h"

namespace espalier {

// What the model takes.
struct ModelInput {
  int64_t max_length = 512;
  bool segments = true;
};

// Text by name: vocab.txt, or vocab.json and merges.txt; tokenizer_config.json, which has the tokens behind the last
// one that is more than an added one; and tokenizer.json, the same for the library tokenizers and for transformers.js.
// Throws Error, which begins with `source`, for tokens that vocab.txt cannot hold.
std::map<std::string, std::string> tokenizer_files(const Tokenizer& tokenizer, const std::string& source,
                                                   const ModelInput& input = {});

}  // namespace espalier
