// SPDX-License-Identifier: Apache-2.0
// The progress bar on a terminal: it redraws one line, never wraps, and leaves nothing behind.
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "tests/apps/program.h"

namespace espalier {
namespace {

// Just as much of a terminal as the programs use: carriage return, line feed, "erase to the end of the line", wrapping.
// Characters beyond ASCII become '#'.
class Screen {
 public:
  explicit Screen(size_t columns) : columns_(columns) {}

  void show(const std::string& text) {
    for (size_t i = 0; i < text.size(); ++i) {
      const auto c = static_cast<unsigned char>(text[i]);
      if (text.compare(i, 3, "\033[K") == 0) {
        lines.back().resize(column_);
        i += 2;
      } else if (c == '\r') {
        column_ = 0;
      } else if (c == '\n') {
        lines.emplace_back(column_, ' ');
      } else if ((c & 0xc0) != 0x80) {  // the first byte of a character
        put(c < 0x80 ? text[i] : '#');
      }
    }
  }

  std::vector<std::string> lines = {""};

 private:
  void put(char c) {
    if (column_ == columns_) {
      lines.emplace_back();
      column_ = 0;
    }
    std::string& line = lines.back();
    if (line.size() <= column_) line.resize(column_ + 1, ' ');
    line[column_++] = c;
  }

  size_t columns_, column_ = 0;
};

class ProgressBar : public Programs {
 protected:
  // What the program writes to a terminal so wide. Both stdout and stderr are that terminal.
  std::string on_terminal(const std::string& arguments, unsigned short columns) const {
    const winsize size = {.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    int terminal = -1;
    const pid_t pid = forkpty(&terminal, nullptr, nullptr, &size);
    if (pid == 0) {
      const std::string line = "cd '" + folder_.path().string() + "' && exec '" ESPALIER_APPS_DIR "'/" + arguments;
      execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
      _exit(127);
    }
    std::string text;
    std::array<char, 4096> part{};
    for (ssize_t n = 0; (n = read(terminal, part.data(), part.size())) > 0;)  // an error once the program has ended
      text.append(part.data(), static_cast<size_t>(n));
    close(terminal);
    int status = -1;
    waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0) << text;
    return text;
  }
};

TEST_F(ProgressBar, LeavesNothingBehind) {
  const std::string evaluate = "evaluate --model random:tiny --vocab vocab.txt --data data/dev.tsv --batch-size 1";
  const std::vector<std::string> printed = lines_of(succeed(evaluate + " --quiet").out);
  for (const unsigned short columns : std::initializer_list<unsigned short>{200, 80, 40}) {
    const std::string text = on_terminal(evaluate, columns);
    expect_in(text, "20/20 batches");
    EXPECT_EQ(text.find("\xe2\x96\x88") != std::string::npos, columns >= 40) << "a bar where there is room for one";
    Screen screen(columns);
    screen.show(text);
    size_t results = 0;  // lines, some of which the screen breaks
    for (const std::string& line : printed) results += std::max<size_t>(1, (line.size() + columns - 1) / columns);
    ASSERT_EQ(screen.lines.size(), results + 2) << "the line about the model, results, and an empty line";
    for (const std::string& line : screen.lines) EXPECT_EQ(line.find("batches"), std::string::npos) << line;
    EXPECT_TRUE(screen.lines[1].starts_with("eval_accuracy ")) << screen.lines[1];
  }
  Screen(4).show(on_terminal(evaluate, 4));  // whatever that looks like
}

TEST_F(ProgressBar, TrainingPrintsItsLinesAboveTheBar) {
  const std::string text = on_terminal(
      "train_sst2 --model random:tiny --vocab vocab.txt --data data --output m.h5 --epochs 3 --batch-size 16", 70);
  expect_in(text, "15/15 epoch 3  loss ");
  expect_in(text, "\r\033[K");
  Screen screen(70);
  screen.show(text);
  int epochs = 0;
  for (const std::string& line : screen.lines) {
    EXPECT_EQ(line.find('#'), std::string::npos) << line;
    EXPECT_EQ(line.find("left"), std::string::npos) << line;
    epochs += line.starts_with("epoch ");
  }
  EXPECT_EQ(epochs, 3);
}

TEST_F(ProgressBar, PlainLinesWhereThereIsNoTerminal) {
  const std::string model = " --model random:tiny --vocab vocab.txt";
  const Result evaluated = succeed("evaluate --data data/dev.tsv --batch-size 1" + model);
  expect_in(evaluated.err, "100.0 %  20/20 batches  left 0:00\n");
  const Result trained = succeed("train_sst2 --data data --output m.h5 --max-steps 2" + model);
  expect_in(trained.out, "100.0 %  2/2 epoch 1  loss ");
  const Result machine = succeed("train_sst2 --data data --output m.h5 --max-steps 2 --json" + model);
  expect_in(machine.err, "100.0 %  2/2 epoch 1  loss ");
  for (const std::string& text : {evaluated.out, evaluated.err, trained.out, trained.err, machine.out, machine.err})
    EXPECT_EQ(text.find_first_of("\r\033"), std::string::npos) << text;
}

}  // namespace
}  // namespace espalier
