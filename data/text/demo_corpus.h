// SPDX-License-Identifier: Apache-2.0
// The synthetic corpus: short film reviews that the project writes itself from a grammar, for `make run` where SST-2 is
// absent. It shows that a run works; its accuracy says nothing about real text. Programs call it "synthetic".
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/text/dataset.h"

namespace espalier {

enum class Split { train, dev };

// 12,000 (train) or 800 (dev) different synthetic reviews, half of each label: 0 negative, 1 positive. The same on
// every platform. No sentence is in both splits, of any seeds. About a quarter of the dev sentences hold words that no
// training sentence has. Sentiment turns on negation, contrast and idioms, so that single words decide only part of it
// (naive Bayes: about 70 % on dev).
Dataset demo_corpus(Split split, uint64_t seed);

// Writes both splits as train.tsv and dev.tsv, and labels.txt, into `folder`, which is made if it is missing. Throws as
// write_tsv does.
void write_demo_corpus(const std::filesystem::path& folder, uint64_t seed);

// A WordPiece vocabulary to train `random:*` models on the synthetic corpus where no encoder's own is at hand: [PAD]
// [UNK] [CLS] [SEP] [MASK], printable ASCII characters, ##letters and ##digits, common word endings, the training
// words. Words held out of training are made of pieces.
std::vector<std::string> demo_vocabulary();

}  // namespace espalier
