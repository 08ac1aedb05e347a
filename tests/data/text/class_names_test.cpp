// SPDX-License-Identifier: Apache-2.0
#include "data/text/class_names.h"

#include <gtest/gtest.h>

#include "core/check.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

using Names = std::vector<std::string>;

class ClassNamesTest : public testing::Test {
 protected:
  // Of the labels in train.tsv and dev.tsv.
  ClassNames find(const std::vector<std::string>& train, const std::vector<std::string>& dev = {"0"}) {
    for (const auto& [file, labels] : {std::pair{"train.tsv", train}, {"dev.tsv", dev}}) {
      std::string text = "sentence\tlabel\n";
      for (const std::string& label : labels) text += "good\t" + label + "\n";
      write_bytes(folder_ / file, text);
    }
    return find_class_names(folder_.path());
  }
  std::string error(const std::vector<std::string>& train) {
    return error_of<Error>([&] { find(train); });
  }
  std::string file_error(const std::string& text) {
    write_bytes(folder_ / "labels.txt", text);
    return error_of<Error>([&] { read_class_names(folder_.path()); });
  }
  TemporaryFolder folder_;
};

TEST_F(ClassNamesTest, NumbersNameThemselves) {
  EXPECT_EQ(find({"0", "1"}).names, (Names{"LABEL_0", "LABEL_1"}));
  EXPECT_EQ(find({"0"}).names, (Names{"LABEL_0", "LABEL_1"})) << "at least two";
  EXPECT_EQ(find({"1"}, {"3"}).names.size(), 4U) << "dev.tsv counts, too";
  EXPECT_EQ(find({"1"}).from, "numbers in the data");
  expect_in(error({"0", "-1"}), "train.tsv:3: label '-1' is no class");
  expect_in(error({"0", "100000"}), "train.tsv:3: label '100000' is no class");
  expect_in(error({"0.5"}), "train.tsv:2: label '0.5' is a number, but no class");
}

TEST_F(ClassNamesTest, WordsAreClassesInAlphabeticalOrder) {
  EXPECT_EQ(find({"pos", "neg", "pos"}, {"mixed"}).names, (Names{"mixed", "neg", "pos"}));
  expect_in(error_of<Error>([&] { find({"pos"}, {"pos"}); }), "all labels are 'pos'; expected at least two classes");
  expect_in(error({"pos", ""}), "train.tsv:3: a label is missing");
  std::vector<std::string> many;
  for (int i = 0; i < 1001; ++i) many.push_back("w" + std::to_string(i));
  expect_in(error(many), "train.tsv:1002: label 'w1000' makes more than 1000 different ones");
}

TEST_F(ClassNamesTest, LabelsTxtComesFirst) {
  write_bytes(folder_ / "labels.txt", "\xef\xbb\xbfnegative\r\npositive\r\n");
  const ClassNames found = find({"0", "1"});
  EXPECT_EQ(found.names, (Names{"negative", "positive"}));
  EXPECT_EQ(found.from, "from " + (folder_ / "labels.txt").string());
  expect_in(file_error("a\n\nb\n"), "labels.txt:2: is blank");
  expect_in(file_error("a\nb\na\n"), "labels.txt:3: 'a' is there twice");
  expect_in(file_error("a\n"), "labels.txt: has 1 names; expected at least two");
  EXPECT_EQ(file_error("a\nb\n\n"), "no error");
}

TEST(EqualNames, CapitalLettersDoNotMatter) {
  EXPECT_TRUE(equal_names("POSITIVE", "positive"));
  EXPECT_FALSE(equal_names("positive", "positiv"));
}

}  // namespace
}  // namespace espalier
