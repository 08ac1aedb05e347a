// SPDX-License-Identifier: Apache-2.0
// TSV, CSV and JSON lines: what each format may hold, and what is refused.
#include "data/text/table.h"

#include <gtest/gtest.h>

#include "core/check.h"
#include "data/text/examples.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

using Texts = std::vector<std::string>;

class TableTest : public testing::Test {
 protected:
  std::filesystem::path write(const std::string& name, const std::string& bytes) const {
    write_bytes(folder_ / name, bytes);
    return folder_ / name;
  }
  Dataset read(const std::string& name, const std::string& bytes, const TableOptions& table = {}) const {
    return read_dataset(write(name, bytes), {.table = table, .read_label = ClassReader({"bad", "good"})});
  }
  Texts texts(const std::string& name, const std::string& bytes, const TableOptions& table = {}) const {
    Texts found;
    for (const Example& e : read(name, bytes, table).examples) found.push_back(e.first);
    return found;
  }
  // Without the folder.
  std::string error(const std::string& name, const std::string& bytes, const TableOptions& table = {}) const {
    const std::string text = error_of<Error>([&] { read(name, bytes, table); });
    EXPECT_LT(text.size(), 500U) << text;
    const std::string folder = folder_.path().string() + "/";
    return text.starts_with(folder) ? text.substr(folder.size()) : text;
  }
  TemporaryFolder folder_;
};

TEST_F(TableTest, CsvHasQuotesByRfc4180) {
  const Dataset data = read("a.csv",
                            "id,label,sentence\r\n"
                            "1,good,\"a \"\"fine\"\" film, indeed\"\r\n"
                            "2,bad,\"two\r\nlines\tand a tab\"\r\n"
                            "3,1, spaces stay \r\n"
                            "\r\n"
                            "4,0,\"\"");
  ASSERT_EQ(data.examples.size(), 4U);
  EXPECT_EQ(data.examples[0].first, "a \"fine\" film, indeed");
  EXPECT_EQ(data.examples[1].first, "two\r\nlines\tand a tab");
  EXPECT_EQ(data.examples[2].first, " spaces stay ");
  EXPECT_EQ(data.examples[3].first, "");
  EXPECT_EQ(data.examples[0].label, 1);
  EXPECT_EQ(data.examples[3].label, 0);
  EXPECT_EQ(texts("mark.csv", "\xef\xbb\xbf\"sentence\",label\na,good\n"), Texts{"a"}) << "a byte order mark";
  EXPECT_EQ(texts("mac.csv", "sentence,label\ra,good\rb,bad\r"), (Texts{"a", "b"})) << "lines that end with \\r";
}

TEST_F(TableTest, CsvFaultsAreNamedWithTheRowsFirstLine) {
  const std::string header = "sentence,label\n\"two\nlines\",good\n";
  EXPECT_EQ(error("a.csv", header + "b,good,more\n").substr(0, 53),
            "a.csv:4: found 3 columns; expected 2 as in the header");
  EXPECT_EQ(error("a.csv", header + "\"open,good\nc,bad\n").substr(0, 57),
            "a.csv:4: begins a row with a quote that is never closed; ");
  EXPECT_EQ(error("a.csv", header + "\"open,good\n\"c\",bad\n").substr(0, 58),
            "a.csv:4: has a quote at a wrong place, at or before line 5");
  EXPECT_EQ(error("a.csv", header + "5\" wide,good\n").substr(0, 38), "a.csv:4: has a quote at a wrong place;");
  EXPECT_EQ(error("a.csv", header + "\"a\nb\",none\n").substr(0, 32), "a.csv:4: label 'none' is unknown");
  std::string open = header + "\"open,good\n";
  for (int i = 0; i < 66; ++i) open += std::string((size_t{1} << 20) - 1, 'x') + "\n";
  EXPECT_EQ(error("a.csv", open).substr(0, 49), "a.csv:4: begins a row of more than 67108864 bytes");
}

TEST_F(TableTest, JsonLinesHaveAnObjectOnEachLine) {
  const Dataset data = read("a.jsonl",
                            "{\"label\": 1, \"sentence\": \"tab\\t, line\\nand \\u00e9\", \"more\": {\"a\": [1]}}\r\n"
                            "{\"sentence\": \"b\", \"label\": \"bad\"}\n\n");
  ASSERT_EQ(data.examples.size(), 2U);
  EXPECT_EQ(data.examples[0].first, "tab\t, line\nand é");
  EXPECT_EQ(data.examples[0].label, 1);
  EXPECT_EQ(data.examples[1].label, 0);
  EXPECT_EQ(texts("mark.json", "\xef\xbb\xbf{\"sentence\": \"a\", \"label\": 0}"), Texts{"a"}) << "a byte order mark";
}

TEST_F(TableTest, JsonFaultsAreNamed) {
  const std::string first = "{\"sentence\": \"a\", \"label\": 1}\n";
  EXPECT_EQ(error("a.jsonl", first + "{\"sentence\": \"b\"}\n"),
            "a.jsonl:2: has no 'label', which line 1 has; expected it on all lines");
  EXPECT_EQ(error("a.jsonl", first + "{\"sentence\": null, \"label\": 1}\n"),
            "a.jsonl:2: 'sentence' is null; expected a text or a number");
  EXPECT_EQ(error("a.jsonl", first + "{\"sentence\": \"b\", \"label\": {}}\n"),
            "a.jsonl:2: 'label' is an object; expected a text or a number");
  EXPECT_EQ(error("a.jsonl", first + "{\"sentence\": \"a\\u0000\", \"label\": 1}\n"),
            "a.jsonl:2: 'sentence' holds a NUL character; expected text without");
  EXPECT_EQ(error("a.jsonl", first + "{\"sentence\": \"b\", \"label\": NaN}\n").substr(0, 50),
            "a.jsonl:2: is no JSON object; expected JSON lines,");
  EXPECT_EQ(error("a.json", "[" + first + "]").substr(0, 25), "a.json:1: is no JSON obje");
  EXPECT_EQ(error("a.json", "[{\"sentence\": \"a\", \"label\": 1}]"),
            "a.json:1: is a JSON array; expected JSON lines, an object on each line such as {\"sentence\": \"good\", "
            "\"label\": 1}: jq -c '.[]' FILE.json writes them");
}

TEST_F(TableTest, ListsBecomeTextWithCommas) {
  Texts labels;
  const ReadOptions options{.read_label = [&](std::string_view text) {
    labels.emplace_back(text);
    return Label{0, {}};
  }};
  read_dataset(write("a.jsonl",
                     "{\"text\": \"a\", \"labels\": [\"joy\", \"very sad\"]}\n{\"text\": \"b\", \"labels\": []}\n"
                     "{\"text\": \"c\", \"labels\": [\"very sad\"]}\n{\"text\": \"d\", \"labels\": [0.5, 2]}\n"),
               options);
  EXPECT_EQ(labels, (Texts{"joy, very sad", "", "very sad, very sad", "0.5, 2"}));
  expect_in(error("b.jsonl", "{\"sentence\": \"a\", \"label\": [\"a, b\"]}"), "'label' has 'a, b' in its list");
  expect_in(error("b.jsonl", "{\"sentence\": \"a\", \"label\": [[1]]}"), "'label' is a list of more than texts");
  const auto one = write("one.jsonl", "{\"sentence\": \"a\", \"label\": [1]}");
  expect_in(error_of<Error>([&] { read_dataset(one, {.lists = false}); }),
            "one.jsonl:1: 'label' is a list; expected one label: --task multi-label");
}

TEST_F(TableTest, FormatsTakenForEachOtherAreRecognised) {
  const std::string tsv = "sentence\tlabel\na\tgood\n", csv = "sentence,label\na,good\n",
                    json = "{\"sentence\": \"a\", \"label\": \"good\"}\n";
  expect_in(error("a.tsv", csv), "it looks like CSV: name it .csv, or use --format csv");
  expect_in(error("a.tsv", json), "it looks like JSON lines: name it .jsonl, or use --format jsonl");
  expect_in(error("a.csv", tsv), "it looks like TSV: name it .tsv, or use --format tsv");
  expect_in(error("a.csv", json),
            "a.csv:1: looks like JSON lines; expected CSV: name the file .jsonl, or use --format jsonl");
  expect_in(error("a.csv", "sentence;label\na;good\n"), "semicolons separate nothing here");
  expect_in(error("a.jsonl", tsv), "it looks like TSV: --format tsv");
  expect_in(error("a.jsonl", csv), "it looks like CSV: --format csv");
  EXPECT_EQ(texts("a.tsv", csv, {.format = TableFormat::csv}), Texts{"a"});
  EXPECT_EQ(texts("a.csv", json, {.format = TableFormat::jsonl}), Texts{"a"});
  EXPECT_EQ(texts("a.txt", tsv), Texts{"a"});
}

TEST_F(TableTest, OtherEncodingsAreNamed) {
  for (const std::string name : {"a.csv", "a.tsv"}) {
    const std::string separator = name == "a.csv" ? "," : "\t";
    expect_in(
        error(name, "sentence" + separator + "label\nna\xefve" + separator + "good\n"),
        name + ":2: is not UTF-8; expected one example per line in UTF-8: save the file as UTF-8; it may be Latin-1");
    expect_in(error(name, std::string("\xff\xfes\0e\0", 6)), name + ":1: begins as UTF-16 or UTF-32 does");
    expect_in(error(name, std::string("s\0e\0\n\0", 6)), name + ":1: holds a NUL byte, as UTF-16 does");
  }
}

TEST_F(TableTest, FieldsMayBeLong) {
  const std::string text(size_t{10} << 20, 'x');
  EXPECT_EQ(texts("a.csv", "sentence,label\n\"" + text + "\",good\n"), Texts{text});
  EXPECT_EQ(texts("a.jsonl", "{\"sentence\": \"" + text + "\", \"label\": 1}\n"), Texts{text});
}

TEST_F(TableTest, EmptyFilesAreErrors) {
  for (const char* name : {"a.tsv", "a.csv", "a.jsonl"})
    expect_in(error(name, ""), std::string(name) + ": is empty; expected");
  for (const char* name : {"a.tsv", "a.csv"})
    expect_in(error(name, "sentence" + std::string(name[2] == 't' ? "\t" : ",") + "label\n"), "holds a header but no");
  expect_in(error("a.csv", "\n\n"), "a.csv: is empty");
}

}  // namespace
}  // namespace espalier
