// SPDX-License-Identifier: Apache-2.0
#include "data/text/tsv.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "core/check.h"
#include "data/text/examples.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

class Tsv : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / ("espalier_tsv_" + std::string(test->name()) + std::to_string(::getpid()));
    fs::create_directories(folder_);
    file_ = folder_ / "data.tsv";
  }
  void TearDown() override { fs::remove_all(folder_); }

  Dataset read(const std::string& bytes, const ReadOptions& options = {}) const {
    std::ofstream(file_, std::ios::binary) << bytes;
    return read_dataset(file_, options);
  }

  // The text of the Error that reading `bytes` throws, without the file's path.
  std::string error(const std::string& bytes, const ReadOptions& options = {}) const {
    std::ofstream(file_, std::ios::binary) << bytes;
    return error_of(file_, options);
  }

  static std::string error_of(const fs::path& path, const ReadOptions& options = {}) {
    try {
      read_dataset(path, options);
    } catch (const Error& e) {
      const std::string text = e.what();
      EXPECT_TRUE(text.starts_with(path.string())) << text;
      EXPECT_EQ(text.find('\n'), std::string::npos) << "one line only: " << text;
      return text.substr(std::min(text.size(), path.string().size()));
    }
    return "no error";
  }

  std::string bytes() const {
    std::ifstream in(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  fs::path folder_, file_;
};

TEST_F(Tsv, KeepsTextAsItIs) {
  const Dataset data = read("sentence\tlabel\n it 's \"fine\" , é \\t . \t1\n\t0\n");
  EXPECT_EQ(data.path, file_);
  EXPECT_FALSE(data.pairs);
  EXPECT_TRUE(data.labelled);
  ASSERT_EQ(data.examples.size(), 2);
  EXPECT_EQ(data.examples[0].first, " it 's \"fine\" , é \\t . ");
  EXPECT_EQ(data.examples[0].second, "");
  EXPECT_EQ(data.examples[0].label, 1);
  EXPECT_EQ(data.examples[1].first, "");
  EXPECT_EQ(data.examples[1].label, 0);
}

TEST_F(Tsv, TakesColumnsInAnyOrderAndSkipsOthers) {
  const Dataset data =
      read("index\tlabel\tsentence2\tnote\tsentence\n7\t2\tsecond\tx\tfirst\n", {.read_label = ClassReader(3)});
  EXPECT_TRUE(data.pairs);
  ASSERT_EQ(data.examples.size(), 1);
  EXPECT_EQ(data.examples[0].first, "first");
  EXPECT_EQ(data.examples[0].second, "second");
  EXPECT_EQ(data.examples[0].label, 2);
}

TEST_F(Tsv, AcceptsByteOrderMarkCrlfAndAMissingLastLineBreak) {
  const Dataset data = read("\xef\xbb\xbfsentence\tlabel\r\ngood\t1\r\nbad\t0");
  ASSERT_EQ(data.examples.size(), 2);
  EXPECT_EQ(data.examples[0].first, "good");
  EXPECT_EQ(data.examples[0].label, 1);
  EXPECT_EQ(data.examples[1].first, "bad");
  EXPECT_EQ(data.examples[1].label, 0);
  EXPECT_EQ(read("label\tsentence\r\n1\tgood\r\n").examples[0].first, "good");
}

TEST_F(Tsv, LabelsMayBeOptionalOrIgnored) {
  const Dataset without = read("sentence\ngood\n", {.labels = Labels::if_present});
  EXPECT_FALSE(without.labelled);
  ASSERT_EQ(without.examples.size(), 1);
  EXPECT_EQ(without.examples[0].label, -1);
  EXPECT_TRUE(read("sentence\tlabel\ngood\t1\n", {.labels = Labels::if_present}).labelled);
  EXPECT_EQ(error("sentence\tlabel\ngood\t-2\n", {.labels = Labels::if_present}).substr(0, 30),
            ":2: label '-2' is out of range");
  const Dataset ignored = read("sentence\tlabel\ngood\t-1\n", {.labels = Labels::ignored});
  EXPECT_FALSE(ignored.labelled);
  EXPECT_EQ(ignored.examples[0].label, -1);
}

TEST_F(Tsv, LabelsMayBeNames) {
  const ReadOptions names{.read_label = ClassReader({"negative", "positive", "mixed"})};
  const Dataset data = read("sentence\tlabel\na\tmixed\nb\tnegative\nc\t1\n", names);
  EXPECT_EQ(data.examples[0].label, 2);
  EXPECT_EQ(data.examples[1].label, 0);
  EXPECT_EQ(data.examples[2].label, 1);
  EXPECT_EQ(error("sentence\tlabel\na\tPositive\n", names),
            ":2: label 'Positive' is unknown; expected one of 'negative', 'positive', 'mixed' or 0 to 2: correct the "
            "line, or the number of classes");
  EXPECT_EQ(error("sentence\tlabel\na\t3\n", names).substr(0, 25), ":2: label '3' is unknown;");
}

TEST_F(Tsv, LabelsMayBeWhatAHeadReads) {
  const ReadOptions numbers{.read_label = [](std::string_view text) {
    CHECK(text != "?", "label ", text, " is no number");
    return Label{0, {std::stof(std::string(text))}};
  }};
  EXPECT_EQ(read("sentence\tlabel\na\t0.5\n", numbers).examples[0].values, std::vector<float>{0.5F});
  EXPECT_EQ(error("sentence\tlabel\na\t1\nb\t?\n", numbers), ":3: label ? is no number");
}

TEST_F(Tsv, NamesThatAreNumbersAreNotPositions) {
  const ReadOptions stars{.read_label = ClassReader({"1", "2", "3"})};
  EXPECT_EQ(read("sentence\tlabel\na\t1\n", stars).examples[0].label, 0);
  EXPECT_EQ(read("sentence\tlabel\na\t3\n", stars).examples[0].label, 2);
  EXPECT_EQ(error("sentence\tlabel\na\t0\n", stars),
            ":2: label '0' is unknown; expected one of '1', '2', '3': correct the line, or the number of classes");
}

TEST_F(Tsv, BadLabelsAreNamedWithTheirLine) {
  const std::string tail = "; expected 0 to 1: correct the line, or the number of classes";
  EXPECT_EQ(error("sentence\tlabel\na\t1\nb\t2\n"), ":3: label '2' is out of range" + tail);
  EXPECT_EQ(error("sentence\tlabel\na\t99999999999999999999\n"),
            ":2: label '99999999999999999999' is out of range" + tail);
  for (const std::string bad : {"", "one", "1.0", "1 ", " 1", "+1", "0x1"}) {
    std::string wanted = ":4: label '";
    wanted.append(bad).append("' is not a whole number").append(tail);
    EXPECT_EQ(error("sentence\tlabel\na\t1\nb\t0\nc\t" + bad + "\n"), wanted);
  }
  EXPECT_EQ(error("sentence\tlabel\na\t\x1b[31m\n"), ":2: label '?[31m' is not a whole number" + tail);
  // A long text in the label's place is cut, and not inside a character.
  EXPECT_EQ(error("sentence\tlabel\na\t" + std::string(39, 'x') + "éé\n"),
            ":2: label '" + std::string(39, 'x') + "...' is not a whole number" + tail);
}

TEST_F(Tsv, RowsMustHaveTheHeadersColumns) {
  const std::string tail = "; expected 2 as in the header: text must hold no tab or line break";
  EXPECT_EQ(error("sentence\tlabel\na\t1\nb\n"), ":3: found 1 column" + tail);
  EXPECT_EQ(error("sentence\tlabel\na\tb\t1\n"), ":2: found 3 columns" + tail);
}

TEST_F(Tsv, BlankLinesMayStandAtTheEnd) {
  EXPECT_EQ(read("sentence\tlabel\na\t1\n\n").examples.size(), 1);
  const ReadOptions any{.labels = Labels::if_present};
  EXPECT_EQ(read("sentence\r\na\r\n\r\n\n\r\n", any).examples.size(), 1);
  const std::string tail = ":3: is blank; expected one example per line, and blank lines at the end only";
  EXPECT_EQ(error("sentence\tlabel\na\t1\n\n\nb\t1\n"), tail);
  EXPECT_EQ(error("sentence\na\n\nb\n", any), tail);
}

TEST_F(Tsv, MinusOneIsNoLabel) {
  const ReadOptions any{.labels = Labels::if_present};
  const Dataset test = read("sentence\tlabel\na\t-1\nb\t-1\n", any);
  EXPECT_FALSE(test.labelled);
  EXPECT_EQ(test.examples.size(), 2);
  EXPECT_EQ(error("sentence\tlabel\na\t-1\n"),
            ":2: label '-1' is none, as in a test split; expected labels here: take a file that has them");
  EXPECT_EQ(error("sentence\tlabel\na\t1\nb\t-1\n", any),
            ":3: has no label (-1), but line 2 has one; expected labels on all lines or on none");
  EXPECT_EQ(error("sentence\tlabel\na\t-1\nb\t1\n", any),
            ":3: has a label, but line 2 has none (-1); expected labels on all lines or on none");
  const ReadOptions named{.read_label = ClassReader({"-1", "1"})};
  EXPECT_EQ(read("sentence\tlabel\na\t-1\n", named).examples[0].label, 0) << "a class with that name";
}

TEST_F(Tsv, HeadersMustNameTheColumns) {
  EXPECT_EQ(error("words\tlabel\na\t1\n"),
            ":1: the header has no column 'sentence', only 'words', 'label'; expected names such as sentence, label: "
            "add the header, rename a column, or name it with --text-column");
  EXPECT_EQ(error("sentence,label\na,1\n"),
            ":1: the header has no column 'sentence', only 'sentence,label'; expected names such as sentence, label: "
            "add the header, rename a column, or name it with --text-column; it looks like CSV: name it .csv, or use "
            "--format csv");
  EXPECT_EQ(error("sentence\tgold\na\t1\n"),
            ":1: the header has no column 'label', only 'sentence', 'gold'; expected labels for training and "
            "evaluation: add the column, or name it with --label-column");
  EXPECT_EQ(error("sentence\tlabel\tsentence\na\t1\tb\n"),
            ":1: the header names 'sentence' twice; expected each column once: rename one of them");
}

TEST_F(Tsv, EmptyFilesAreErrors) {
  EXPECT_EQ(error(""), ": is empty; expected a header line naming the columns sentence and label");
  EXPECT_EQ(error("sentence\tlabel\n"), ": holds a header but no examples; expected one example per line");
  EXPECT_EQ(error("sentence\tlabel"), ": holds a header but no examples; expected one example per line");
}

TEST_F(Tsv, FilesThatCannotBeRead) {
  EXPECT_EQ(error_of(folder_ / "none.tsv"), ": cannot be opened: No such file or directory");
  EXPECT_EQ(error_of(folder_), ": is a directory; expected a file");
  fs::create_symlink("loop.tsv", folder_ / "loop.tsv");
  EXPECT_EQ(error_of(folder_ / "loop.tsv"), ": cannot be opened: Too many levels of symbolic links");
  EXPECT_EQ(error_of("/dev/zero"), ": is a device; expected a file");
  ASSERT_EQ(::mkfifo((folder_ / "pipe.tsv").c_str(), 0600), 0);
  EXPECT_EQ(error_of(folder_ / "pipe.tsv"), ": is a pipe; expected a file");
}

TEST_F(Tsv, OptionsMustAllowAClass) { EXPECT_THROW(ClassReader(0), Error); }

TEST_F(Tsv, WritesWhatItReads) {
  const Dataset data{{}, {{"a ", "\"b\"", 1}, {"é", "", 0}}, true, true};
  write_tsv(file_, data);
  EXPECT_EQ(bytes(), "sentence\tsentence2\tlabel\na \t\"b\"\t1\né\t\t0\n");
  const Dataset again = read_dataset(file_);
  ASSERT_EQ(again.examples.size(), 2);
  EXPECT_EQ(again.examples[0].second, "\"b\"");
  write_tsv(file_, {{}, {{"only", "ignored", 1}}, false, false});
  EXPECT_EQ(bytes(), "sentence\nonly\n");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1) << "nothing is left beside the file";
  EXPECT_THROW(write_tsv(file_, {{}, {{"", "", 1}}, false, false}), Error) << "a blank line";
}

TEST_F(Tsv, WritesNothingWhereItCannot) {
  write_tsv(file_, {{}, {{"old", "", 1}}, false, true});
  for (const char* bad : {"a\tb", "a\nb", "a\rb"})
    EXPECT_THROW(write_tsv(file_, {{}, {{bad, "", 1}}, false, true}), Error);
  EXPECT_THROW(write_tsv(file_, {{}, {{std::string(1, '\0'), "", 1}}, false, true}), Error);
  EXPECT_EQ(bytes(), "sentence\tlabel\nold\t1\n");
  EXPECT_THROW(write_tsv(folder_, {}), Error);
  EXPECT_THROW(write_tsv(folder_ / "none" / "data.tsv", {}), Error);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(Tsv, ReadsSst2) {
  const char* given = std::getenv("ESPALIER_DATA");
  const fs::path folder = given != nullptr ? fs::path(given) : fs::path(ESPALIER_TESTS_DIR) / "../../shared/data/sst2";
  if (!fs::exists(folder / "train.tsv")) GTEST_SKIP() << "SST-2 is absent: " << folder << " has no train.tsv";
  const Dataset train = read_dataset(folder / "train.tsv");
  const Dataset dev = read_dataset(folder / "dev.tsv");
  EXPECT_EQ(train.examples.size(), 67349);
  ASSERT_EQ(dev.examples.size(), 872);
  EXPECT_EQ(dev.examples[0].first, "it 's a charming and often affecting journey . ");
  EXPECT_EQ(dev.examples[1].label, 0);
}

}  // namespace
}  // namespace espalier
