// SPDX-License-Identifier: Apache-2.0
#include "data/text/lines.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/temporary.h"

namespace espalier {
namespace {

using Texts = std::vector<std::string>;

Texts read(const std::string& bytes, Lines::Of kind = Lines::Of::records) {
  const TemporaryFolder folder;
  write_bytes(folder / "a.txt", bytes);
  Lines lines(folder / "a.txt", kind, "one word per line");
  Texts texts;
  for (std::string_view line; lines.next(line);) texts.emplace_back(line);
  return texts;
}

// The text of the Error behind the file's path.
std::string error(const std::string& bytes, Lines::Of kind = Lines::Of::records) {
  const std::string text = error_of<Error>([&] { read(bytes, kind); });
  return text == "no error" ? text : text.substr(text.find("a.txt") + 5);
}

TEST(Lines, EndWithEitherLineBreak) {
  EXPECT_EQ(read("a\nb c\r\nd"), (Texts{"a", "b c", "d"}));
  EXPECT_EQ(read("a\nb\n"), (Texts{"a", "b"}));
  EXPECT_EQ(read("\xef\xbb\xbf"
                 "a\n\xef\xbb\xbf"
                 "b\n"),
            (Texts{"a",
                   "\xef\xbb\xbf"
                   "b"}))
      << "a byte order mark at the start";
  EXPECT_EQ(read(""), Texts{});
}

TEST(Lines, BlankOnesAreNoRecordsButSentences) {
  EXPECT_EQ(read("a\n\r\n\n"), Texts{"a"});
  EXPECT_EQ(error("a\n\n\nb\n"), ":2: is blank; expected one word per line, and blank lines at the end only");
  EXPECT_EQ(read("a\n\n\nb\n\n", Lines::Of::sentences), (Texts{"a", "", "", "b", ""}));
}

TEST(Lines, CarriageReturnsInsideAreWhiteSpaceOfSentences) {
  EXPECT_EQ(error("a\nb\rc\n"),
            ":2: holds a carriage return that is not at its end; expected lines that end with \\n or \\r\\n");
  EXPECT_EQ(read("b\rc\r\n", Lines::Of::sentences), Texts{"b\rc"});
}

TEST(Lines, OtherEncodingsAreNamed) {
  for (const auto kind : {Lines::Of::records, Lines::Of::sentences}) {
    EXPECT_EQ(error(std::string("a\nb\0c\n", 6), kind),
              ":2: holds a NUL byte; expected UTF-8 text: save the file as UTF-8");
    EXPECT_EQ(
        error("a\nb\nna\xefve\n", kind),
        ":3: is not UTF-8; expected one word per line in UTF-8: save the file as UTF-8; it may be Latin-1: iconv -f "
        "LATIN1 -t UTF-8");
    EXPECT_EQ(error(std::string("a\0\n\0b\0", 6), kind),
              ":1: holds a NUL byte, as UTF-16 does; expected UTF-8 text: save the file as UTF-8");
    for (const std::string& start : {std::string("\xff\xfe\x61\0\n\0", 6), std::string("\xfe\xff\0\x61\0\n", 6)})
      EXPECT_EQ(error(start, kind), ":1: begins as UTF-16 or UTF-32 does; expected UTF-8: save the file as UTF-8");
  }
}

TEST(Lines, MayBeLong) {
  std::string ten, too_long;
  ten.resize(10'000'000, 'x');
  too_long.resize((size_t{64} << 20) + 1, 'x');
  EXPECT_EQ(read("a\n" + ten + "\r\nb\n"), (Texts{"a", ten, "b"}));
  EXPECT_EQ(error("a\n" + too_long), ":2: is longer than 67108864 bytes; expected one word per line");
  EXPECT_EQ(error("a\n" + too_long + "\nb\n"), ":2: is longer than 67108864 bytes; expected one word per line");
}

TEST(Lines, ManyComeThroughTheBuffer) {
  std::string text;
  Texts expected;
  for (int i = 0; i < 30000; ++i) {
    expected.push_back(std::to_string(i) + std::string(static_cast<size_t>(i % 17), 'y'));
    text += expected.back() + (i % 3 == 0 ? "\r\n" : "\n");
  }
  EXPECT_EQ(read(text), expected);
}

TEST(Lines, TellWhetherTheNextOneWaits) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const int before = dup(STDIN_FILENO);
  dup2(ends[0], STDIN_FILENO);
  const auto type = [&](const std::string& text) {
    EXPECT_EQ(write(ends[1], text.data(), text.size()), std::ssize(text));
  };
  Lines lines = Lines::of_standard_input();
  std::string_view line;
  EXPECT_FALSE(lines.ready());
  type("a\nb");
  EXPECT_TRUE(lines.ready() && lines.next(line) && line == "a");
  EXPECT_EQ(lines.given(), 2);
  EXPECT_FALSE(lines.ready()) << "half a line";
  type("c\n\nd");
  EXPECT_TRUE(lines.ready() && lines.next(line) && line == "bc");
  EXPECT_TRUE(lines.ready() && lines.next(line) && line.empty());
  EXPECT_FALSE(lines.ready());
  close(ends[1]);
  EXPECT_TRUE(lines.ready() && lines.next(line) && line == "d") << "the end ends a line";
  EXPECT_TRUE(lines.ready() && !lines.next(line));
  EXPECT_EQ(lines.given(), 7);
  EXPECT_EQ(lines.size(), 0) << "no regular file";
  dup2(before, STDIN_FILENO);
  close(before);
  close(ends[0]);
}

}  // namespace
}  // namespace espalier
