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
  // Of these labels.
  ClassNames find(const std::vector<std::string>& labels, LabelForm form = LabelForm::one_class) {
    std::string text = "sentence\tlabel\n";
    for (const std::string& label : labels) text += "good\t" + label + "\n";
    write_bytes(folder_ / "train.tsv", text);
    return find_class_names(form, folder_ / "train.tsv");
  }
  Names names(const std::vector<std::string>& labels, LabelForm form = LabelForm::one_class) {
    return find(labels, form).names;
  }
  std::string error(const std::vector<std::string>& labels, LabelForm form = LabelForm::one_class) {
    return error_of<Error>([&] { find(labels, form); });
  }
  std::string file_error(const std::string& text) {
    write_bytes(folder_ / "labels.txt", text);
    return error_of<Error>([&] { read_class_names(folder_.path()); });
  }
  TemporaryFolder folder_;
};

TEST_F(ClassNamesTest, NumbersAreClassesInTheirOrder) {
  EXPECT_EQ(names({"0", "1"}), (Names{"LABEL_0", "LABEL_1"}));
  EXPECT_EQ(names({"0", "3"}).size(), 4U);
  EXPECT_EQ(find({"0", "1"}).from, "numbers in the data");
  EXPECT_EQ(names({"10", "5", "1", "5"}), (Names{"1", "5", "10"})) << "without a 0 they are names";
  expect_in(error({"0", "-1"}), "train.tsv:3: label '-1' is none");
  expect_in(error({"0", "100000"}), "train.tsv:3: label '100000' is no class");
  expect_in(error({"0.5"}),
            "train.tsv:2: label '0.5' is a number, but no class; expected 0, 1, 2 … or names: --task "
            "regression learns numbers");
  expect_in(error({"0", "0"}), "train.tsv: all labels are '0'; expected at least two classes");
}

TEST_F(ClassNamesTest, WordsAreClassesInAlphabeticalOrder) {
  EXPECT_EQ(names({"pos", "neg", "pos", "mixed"}), (Names{"mixed", "neg", "pos"}));
  expect_in(error({"pos", "pos"}), "all labels are 'pos'; expected at least two classes");
  expect_in(error({"pos", ""}), "train.tsv:3: a label is missing");
  std::vector<std::string> many(1001);
  for (size_t i = 0; i < many.size(); ++i) many[i] = "w" + std::to_string(i);
  expect_in(error(many), "train.tsv:1002: label 'w1000' makes more than 1000 different ones");
}

TEST_F(ClassNamesTest, NumbersAndWordsAreNotMixed) {
  expect_in(error({"0", "1", "good"}),
            "train.tsv:4: label 'good' is a word, but others are numbers, such as 0; expected "
            "one kind: correct the line, or name all classes with --labels");
  expect_in(error({"bad", "1"}), "train.tsv:3: label '1' is a number, but others are words, such as 'bad'");
}

TEST_F(ClassNamesTest, ListsNameClasses) {
  EXPECT_EQ(names({"joy, anger", "", "fear", "joy"}, LabelForm::classes), (Names{"anger", "fear", "joy"}));
  EXPECT_EQ(names({"3, 12", "12", "0"}, LabelForm::classes), (Names{"0", "3", "12"}));
  EXPECT_EQ(names({"0, 1, 1", "0, 0, 0"}, LabelForm::classes), (Names{"LABEL_0", "LABEL_1", "LABEL_2"}));
  expect_in(error({"", ""}, LabelForm::classes), "train.tsv: no label has a name");
}

TEST_F(ClassNamesTest, NumbersAreCounted) {
  EXPECT_EQ(names({"0.5", "3"}, LabelForm::numbers), Names{"LABEL_0"});
  EXPECT_EQ(names({"0.5, 3", "1, 2"}, LabelForm::numbers), (Names{"LABEL_0", "LABEL_1"}));
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
