// SPDX-License-Identifier: Apache-2.0
// From a TSV file to the tokens of its sentences.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/text/loader.h"
#include "data/text/tsv.h"
#include "data/text/wordpiece.h"

namespace espalier {

// Reads and tokenizes a TSV file. Pairs are encoded as pairs; labels are checked against the names `labels`. max_length
// counts [CLS] and [SEP]. Throws, with path and line, for what read_tsv refuses and for a file without sentences.
TokenizedDataset read_text(const std::filesystem::path& path, const WordPiece& tokenizer,
                           const std::vector<std::string>& labels, int max_length, Labels wanted = Labels::required);

}  // namespace espalier
