// SPDX-License-Identifier: Apache-2.0
// The program edge: answers of an edge file as predict gives them, and what it says about anything else.
#include "tests/apps/program.h"

namespace espalier {
namespace {

class EdgeProgram : public Programs {
 protected:
  EdgeProgram() {
    succeed("train_sst2 --model random:tiny --vocab vocab.txt --data data --output model.h5 --epochs 1 --quiet");
    succeed("export --model model.h5 --format edge --output model.edge --quiet");
  }
};

TEST_F(EdgeProgram, AnswersAsPredictDoes) {
  const std::string texts =
      "a fine film .\n\n\xf0\x9f\x98\x80 caf\xc3\xa9\nthe film\tis dull\n" + std::string(30000, 'a') + "\n";
  const auto expected = lines_of(succeed("predict --model model.h5 --quiet", {.input = texts}).out);
  const auto found = lines_of(succeed("edge model.edge", {.input = texts}).out);
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    const std::string label = expected[i].substr(0, expected[i].find('\t'));
    EXPECT_TRUE(found[i].starts_with(label + "\t0.")) << found[i] << "\n" << expected[i];
    EXPECT_EQ(found[i].substr(found[i].find('\t', label.size() + 1)),
              expected[i].substr(expected[i].find('\t', label.size() + 1)));
  }
  EXPECT_EQ(succeed("edge model.edge", {.more = {"a fine film ."}}).out, found[0] + "\n");
  expect_in(succeed("edge --help").out, "usage: edge MODEL.edge");
  expect_in(succeed("edge --version").out, "espalier ");
}

TEST_F(EdgeProgram, MistakesAreOneLine) {
  expect_refused("edge", {"which model?"});
  expect_refused("edge nothing.edge", {"nothing.edge: cannot be opened"});
  expect_refused("edge model.h5", {"model.h5: is no edge file; expected a file that export --format edge has written"});
  expect_refused("edge data", {"data: is a directory"});
  expect_refused("edge model.edge --max-length 2", {"--max-length '2': expected a number from 3 on"});
  expect_refused("edge model.edge --max-length 5000 x", {"max_length 5000: expected 3", "512"});
  expect_refused("edge model.edge --fast", {"--fast: there is no such option"});
  const std::string whole = bytes("model.edge");
  write_bytes(folder_ / "cut.edge", whole.substr(0, whole.size() / 2));
  expect_refused("edge cut.edge x", {"cut.edge: has ", "it is cut off; copy it again"});
  std::string changed = whole;
  changed[whole.size() / 2] = static_cast<char>(changed[whole.size() / 2] ^ 1);
  write_bytes(folder_ / "flipped.edge", changed);
  expect_refused("edge flipped.edge x", {"flipped.edge: is damaged: its checksum is not that of its contents"});
  changed = whole;
  changed[8] = 9;
  write_bytes(folder_ / "newer.edge", changed);
  expect_refused("edge newer.edge x", {"is an edge file of version 9; this program reads version 1"});
  expect_refused("predict --model model.edge x", {"model.edge: is an edge file, which the program edge"});
  expect_refused("export --model model.h5 --format edge --output data", {"data"});
  expect_refused("export --model model.h5 --format edge --output nowhere/model.edge", {"nowhere"});
}

}  // namespace
}  // namespace espalier
