// SPDX-License-Identifier: Apache-2.0
#include "data/text/columns.h"

#include <gtest/gtest.h>

#include "core/check.h"
#include "data/text/examples.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

class ColumnsTest : public testing::Test {
 protected:
  // "first|second|label" of a file whose header and only row have these columns.
  std::string chosen(const std::string& header, const TableOptions& options = {}) {
    std::string text = header + "\n" + header + "\n";
    write_bytes(folder_ / "a.tsv", text);
    std::string label;
    ExampleReader reader(folder_ / "a.tsv", {.table = options, .read_label = [&](std::string_view found) {
                                               label = found;
                                               return Label{0, {}};
                                             }});
    Example example;
    reader.next(example);
    note_ = reader.note();
    return example.first + "|" + example.second + "|" + label;
  }
  std::string error(const std::string& header, const TableOptions& options = {}) {
    return error_of<Error>([&] { chosen(header, options); });
  }
  TemporaryFolder folder_;
  std::string note_;
};

// The headers of GLUE's raw files.
TEST_F(ColumnsTest, GluesTasksAreKnown) {
  EXPECT_EQ(chosen("sentence\tlabel"), "sentence||label");
  EXPECT_EQ(note_, "") << "nothing was guessed";
  EXPECT_EQ(chosen("Quality\t#1 ID\t#2 ID\t#1 String\t#2 String"), "#1 String|#2 String|Quality");
  EXPECT_EQ(note_, "text from column '#1 String' and '#2 String', label from 'Quality'; skipped: '#1 ID', '#2 ID'");
  EXPECT_EQ(chosen("index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore"),
            "sentence1|sentence2|score");
  EXPECT_EQ(chosen("id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate"), "question1|question2|is_duplicate");
  EXPECT_EQ(chosen("index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\t"
                   "sentence2_parse\tsentence1\tsentence2\tlabel1\tgold_label"),
            "sentence1|sentence2|gold_label");
  EXPECT_EQ(chosen("index\tquestion\tsentence\tlabel"), "question|sentence|label");
  EXPECT_EQ(chosen("index\tsentence1\tsentence2\tlabel"), "sentence1|sentence2|label");
  write_bytes(folder_ / "cola.tsv", "gj04\t1\t\tOur friends won't buy this.\ngj04\t0\t*\tThey drank the pub.\n");
  const Dataset cola = read_dataset(folder_ / "cola.tsv");
  ASSERT_EQ(cola.examples.size(), 2U);
  EXPECT_EQ(cola.examples[0].first, "Our friends won't buy this.");
  EXPECT_EQ(cola.examples[1].label, 0);
}

TEST_F(ColumnsTest, OtherUsualNamesAreKnown) {
  EXPECT_EQ(chosen("premise\thypothesis\tlabel"), "premise|hypothesis|label");
  EXPECT_EQ(chosen("question\tpassage\tlabel"), "question|passage|label");
  EXPECT_EQ(chosen("Label\tText"), "Text||Label") << "capital letters do not matter";
  EXPECT_EQ(chosen("text\tscore\tlabel"), "text||label") << "label comes first";
}

TEST_F(ColumnsTest, OptionsNameThem) {
  const TableOptions review{.text_column = "review", .label_column = "stars"};
  EXPECT_EQ(chosen("review\tstars\tsentence\tlabel", review), "review||stars");
  EXPECT_EQ(chosen("a\tb\tlabel", {.text_column = "a", .pair_column = "b"}), "a|b|label");
  expect_in(error("sentence\tlabel", review),
            "a.tsv:1: has no column 'review' (--text-column), only 'sentence', 'label'");
  expect_in(error("sentence\tb\tlabel", {.pair_column = "b"}), "expected --text-column to name the first one");
  expect_in(error("a\tlabel", {.text_column = "a", .pair_column = "a"}), "a column is named for two purposes");
}

TEST_F(ColumnsTest, AmbiguousOnesAreRefused) {
  expect_in(error("sentence\ttext\tlabel"),
            "a.tsv:1: the text may be in 'sentence' or 'text'; name it with --text-column, "
            "and the second of a pair with --pair-column. The columns are 'sentence', "
            "'text', 'label'");
  expect_in(error("sentence\tsentence1\tsentence2\tlabel"),
            "may be in 'sentence' with 'sentence2' or 'sentence1' with");
  expect_in(error("sentence\tscore\tgold_label"), "the label may be in 'gold_label', 'score'; name its column");
  std::string many = "a0";
  for (int i = 1; i < 40; ++i) many += "\ta" + std::to_string(i);
  expect_in(error(many), "'a9' and 30 more; expected names such as sentence, label");
}

}  // namespace
}  // namespace espalier
