// SPDX-License-Identifier: Apache-2.0
// From a file to the tokens of its sentences.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "data/text/examples.h"
#include "data/text/loader.h"
#include "data/text/tokenizer.h"
#include "nn/heads/head.h"

namespace espalier {

struct TextOptions {
  Labels labels = Labels::required;
  TableOptions table = {};
  std::function<void(const std::string&)> say = {};  // told which columns are read, where they are not the usual ones
};

// Reads and tokenizes a file, a block of it at a time, so that its text is never in memory as a whole. Pairs are
// encoded as pairs; labels are read by the head. max_length counts [CLS] and [SEP]. Throws, with path and line, for
// what ExampleReader refuses, and for a number of a class that labels.txt beside the file orders in another way than
// the head.
TokenizedDataset read_text(const std::filesystem::path& path, const Tokenizer& tokenizer, const Head& head,
                           int max_length, const TextOptions& options = {});

// The same in two parts: a share of the examples is held out, see Holdout. Throws where one part would be empty.
struct SplitText {
  TokenizedDataset train, dev;
};
SplitText read_and_split(const std::filesystem::path& path, const Tokenizer& tokenizer, const Head& head,
                         int max_length, const TextOptions& options, double share, uint64_t seed);

}  // namespace espalier
