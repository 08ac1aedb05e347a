// SPDX-License-Identifier: Apache-2.0
// Vocabularies that train_vocab makes: the programs open them, and the same texts give the same files.
#include "tests/apps/program.h"

namespace espalier {
namespace {

class TrainVocabProgram : public Programs {};

TEST_F(TrainVocabProgram, BothKindsServeAModel) {
  for (const std::string type : {"wordpiece", "bpe"}) {
    const std::string make = "train_vocab --input data/train.tsv,vocab.txt --type " + type + " --size 400 --output ";
    const auto said = objects_of(succeed(make + type + " --json").out).at(0);
    EXPECT_GT(said["tokens"].get<int>(), 50);
    EXPECT_LE(said["tokens"].get<int>(), 400);
    succeed(make + type + "_again --quiet --threads 1");
    for (const char* name : {"tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json", "merges.txt"})
      EXPECT_EQ(bytes(type + "_again/" + name), bytes(type + "/" + name)) << name;
    succeed("train_sst2 --model random:tiny --vocab " + type + " --data data --epochs 1 --quiet --output " + type +
            ".h5");
    const std::string input = "a fine film don't\n";
    EXPECT_EQ(succeed("tokenize --model " + type + ".h5", {.input = input}).out,
              succeed("tokenize --model " + type, {.input = input}).out);
    succeed("export --model " + type + ".h5 --output " + type + "_model --quiet");
    EXPECT_EQ(succeed("tokenize --model " + type + "_model", {.input = input}).out,
              succeed("tokenize --model " + type, {.input = input}).out);
    succeed("prune --model " + type + ".h5 --vocabulary data/dev.tsv --output " + type + "_cut.h5 --quiet");
  }
}

TEST_F(TrainVocabProgram, RefusesWhatCannotBe) {
  expect_refused("train_vocab --input none.txt --output v", {"none.txt"});
  expect_refused("train_vocab --input data/train.tsv --output v --size 12", {"12 tokens has no room for pieces"});
  expect_refused("train_vocab --input data/train.tsv --output v --type bpe --cased", {"--cased"});
  EXPECT_FALSE(exists("v"));
  write_bytes(folder_ / "mine.csv", "body,n\n\"a film, and a film\",1\n");
  expect_refused("train_vocab --input mine.csv --output v", {"mine.csv:1:", "--text-column"});
  succeed("train_vocab --input mine.csv --text-column body --quiet --output mine");
  write_bytes(folder_ / "bytes.txt", "a \xff b\n");
  expect_refused("train_vocab --input bytes.txt --output v", {"bytes.txt:1: is not UTF-8; expected texts in UTF-8"});
}

}  // namespace
}  // namespace espalier
