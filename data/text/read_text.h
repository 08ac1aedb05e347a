// SPDX-License-Identifier: Apache-2.0
// From a TSV file to the tokens of its sentences.
#pragma once

#include <filesystem>

#include "data/text/loader.h"
#include "data/text/tokenizer.h"
#include "data/text/tsv.h"
#include "nn/heads/head.h"

namespace espalier {

// Reads and tokenizes a TSV file. Pairs are encoded as pairs; labels are read by the head. max_length
// counts [CLS] and [SEP]. Throws, with path and line, for what read_tsv refuses, for a file without sentences, and for
// a number of a class that labels.txt beside the file orders in another way than the head.
TokenizedDataset read_text(const std::filesystem::path& path, const Tokenizer& tokenizer, const Head& head,
                           int max_length, Labels wanted = Labels::required);

}  // namespace espalier
