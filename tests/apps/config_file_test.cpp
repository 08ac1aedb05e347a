// SPDX-License-Identifier: Apache-2.0
// The TOML of config files: entries with their places, and errors with theirs.
#include "apps/cli/config_file.h"

#include <limits>

#include "core/check.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

using Kind = ConfigValue::Kind;

std::string refusal(const std::string& text) {
  return error_of<Error>([&] { read_config(text, "f.toml"); });
}

TEST(ConfigFile, EntriesInTheirOrder) {
  const auto entries = read_config(
      "\xef\xbb\xbf# comment\r\nz = 1_000 # more\r\n'quoted name' = \"\\u00e9 # \\\\\"\n"
      "[b.c]\nx = -0.5\nd.e = true\n[a]\nlist = [\n  1,\n  'two', # three\n  2e3,\n]\nempty = []\nhex = 0x10\n"
      "inline = { x = 'C:\\dir', y = inf }\n",
      "f.toml");
  struct Expected {
    const char *name, *place;
    bool list;
    std::vector<std::pair<Kind, std::string>> values;
  };
  const std::vector<Expected> expected = {
      {"z", "f.toml:2:5", false, {{Kind::whole_number, "1000"}}},
      {"quoted name", "f.toml:3:17", false, {{Kind::text, "\xc3\xa9 # \\"}}},
      {"b.c.x", "f.toml:5:5", false, {{Kind::number, "-0.5"}}},
      {"b.c.d.e", "f.toml:6:7", false, {{Kind::truth, "true"}}},
      {"a.list", "f.toml:8:8", true, {{Kind::whole_number, "1"}, {Kind::text, "two"}, {Kind::number, "2000.0"}}},
      {"a.empty", "f.toml:13:9", true, {}},
      {"a.hex", "f.toml:14:7", false, {{Kind::whole_number, "16"}}},
      {"a.inline.x", "f.toml:15:16", false, {{Kind::text, "C:\\dir"}}},
      {"a.inline.y", "f.toml:15:30", false, {{Kind::number, "inf"}}}};
  ASSERT_EQ(entries.size(), expected.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ(entries[i].name, expected[i].name);
    EXPECT_EQ(entries[i].place, expected[i].place);
    EXPECT_EQ(entries[i].list, expected[i].list);
    ASSERT_EQ(entries[i].values.size(), expected[i].values.size());
    for (size_t j = 0; j < entries[i].values.size(); ++j) {
      EXPECT_EQ(entries[i].values[j].kind, expected[i].values[j].first);
      EXPECT_EQ(entries[i].values[j].text, expected[i].values[j].second);
    }
  }
  EXPECT_TRUE(read_config("", "f.toml").empty());
  EXPECT_EQ(read_config("a = 9223372036854775807", "f.toml").at(0).values.at(0).text,
            std::to_string(std::numeric_limits<int64_t>::max()));
}

TEST(ConfigFile, MistakesNameTheirPlace) {
  const std::pair<const char*, const char*> rows[] = {
      {"a = 1\nschedule = linear",
       "f.toml:2:12: found 'schedule = linear'; a number, true, false, [a list] or \"a text"},
      {"batch-size = [64\nepochs = 2\n", "f.toml:2:1: found 'epochs = 2'; a list such as [1, 2], with a comma"},
      {"a = 1\na = 2", "f.toml:2:5: found 'a = 2'; each name and each table may be given once"},
      {"[a]\nb = 1\n[a]", "f.toml:3:1: found '[a]'; each name"},
      {"a.b = 1\n'a.b' = 2", "f.toml:2:9: 'a.b' is given twice"},
      {"[a", "f.toml:1:3: found '[a'; a table such as [prune]"},
      {"[[a]]\nb = 1", "f.toml:1:1: found a table in a list; "},
      {"a = \"x\nb = 2", "f.toml:1:7: found 'a = \"x'; a text in quotes is expected, closed"},
      {"\n = 1", "f.toml:2:2: found ' = 1'; a line such as"},
      {"a = 1 2", "f.toml:1:7: found 'a = 1 2'; a line such as"},
      {"a\n", "f.toml:1:2: found 'a'; a line such as"},
      {"a =", "f.toml:1:4: found 'a ='; a line such as"},
      {"a = True", "f.toml:1:5: found 'a = True'; a number, true, false"},
      {"a = 9223372036854775808", "a whole number of up to 64 bits is expected"},
      {"a = 2024-01-01", "f.toml:1:5: found a date or time; a number"},
      {"a = [1, [2]]", "f.toml:1:9: found a list in a list; a number"},
      {"a = \"\xff\"", "f.toml:1:5: found 'a = \"\xff\"'; UTF-8 is expected"},
      {"a = 1\n\x1b", "f.toml:2:1: found '?'; "}};
  for (const auto& [text, part] : rows) expect_in(refusal(text), part);
  expect_in(refusal(std::string("a = 1\0", 6)), "f.toml:1:6: found 'a = 1?'; ");
}

TEST(ConfigFile, NestingIsBounded) {
  const auto many = [](const std::string& part) {
    std::string text;
    for (int i = 0; i < 20000; ++i) text += part;
    return text;
  };
  for (const std::string& text : {"a = " + many("["), "a = " + many("[") + many("]"), "a = " + many("{a=")})
    expect_in(refusal(text), "nest less than 16 deep");
  expect_in(refusal(many("[")), "f.toml:1:");
  expect_in(refusal(many("a.") + "a = 1"), "f.toml:1: has more than 256 dots");
  expect_in(refusal("\n[" + many("a.") + "a]"), "f.toml:2:");
  for (const char* outside : {"a = 1\n\xef\xbb\xb2 = 1", "a = \"x\"\nb = \xc3\xa9", "a = 1\nb = 0xB\"B\xcf\x9a"})
    expect_in(refusal(outside), "f.toml:2:");
  EXPECT_EQ(read_config("a = \"\xc3\xa9\" # \xc3\xa9", "f.toml").at(0).values.at(0).text, "\xc3\xa9");
}

}  // namespace
}  // namespace espalier
