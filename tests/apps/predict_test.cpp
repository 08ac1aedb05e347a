// SPDX-License-Identifier: Apache-2.0
// predict on standard input: many lines at once in their order, one at a time for who waits, up to a faulty one.
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "tests/apps/program.h"

namespace espalier {
namespace {

const std::string golden = ESPALIER_TESTS_DIR "/golden/hf_model";

// predict at the other end of two pipes.
class Conversation {
 public:
  Conversation() {
    EXPECT_TRUE(pipe(to_.data()) == 0 && pipe(from_.data()) == 0);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(to_[0], STDIN_FILENO);
      dup2(from_[1], STDOUT_FILENO);
      for (const int end : {to_[0], to_[1], from_[0], from_[1]}) close(end);
      execl(ESPALIER_APPS_DIR "/predict", "predict", "--quiet", "--model", golden.c_str(), nullptr);
      _exit(127);
    }
    close(to_[0]);
    close(from_[1]);
  }
  ~Conversation() {
    if (to_[1] >= 0) close(to_[1]);
    close(from_[0]);
    waitpid(pid_, nullptr, 0);
  }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  void say(const std::string& text) const { EXPECT_EQ(write(to_[1], text.data(), text.size()), std::ssize(text)); }
  void end() {
    close(to_[1]);
    to_[1] = -1;
  }
  // What comes until there are so many lines; less if it takes longer than a minute.
  std::string hear(size_t lines) const {
    std::string text;
    std::array<char, 4096> part{};
    pollfd answer{.fd = from_[0], .events = POLLIN, .revents = 0};
    while (lines_of(text).size() < lines && poll(&answer, 1, 60'000) == 1) {
      const ssize_t count = read(from_[0], part.data(), part.size());
      if (count <= 0) break;
      text.append(part.data(), static_cast<size_t>(count));
    }
    return text;
  }

 private:
  std::array<int, 2> to_{}, from_{};
  pid_t pid_ = -1;
};

class Predict : public Programs {
 protected:
  const std::string predict_ = "predict --quiet --model " + golden;
};

TEST_F(Predict, AnswersEachLineToWhoWaitsForIt) {
  Conversation with;
  for (const std::string line : {"the film is good .", "", "the plot"}) {
    with.say(line + "\n");
    EXPECT_EQ(with.hear(1), succeed(predict_, {.more = {line}}).out) << line;
  }
  with.say("a\nb\nthe begin");
  EXPECT_EQ(with.hear(2), succeed(predict_, {.more = {"a", "b"}}).out) << "all whole lines";
  with.say("ning");
  with.end();
  EXPECT_EQ(with.hear(1), succeed(predict_, {.more = {"the beginning"}}).out);
}

TEST_F(Predict, ManyLinesKeepTheirOrder) {
  std::string text;
  for (int i = 0; i < 1500; ++i) text += reviews(1, static_cast<unsigned>(i)).substr(0, 40) + "\n";
  const Result all = succeed(predict_, {.input = text});
  EXPECT_EQ(all.err, "");
  const auto lines = lines_of(text), answers = lines_of(all.out);
  ASSERT_EQ(answers.size(), lines.size());
  for (size_t i = 0; i < lines.size(); i += 251)
    EXPECT_EQ(answers[i] + "\n", succeed(predict_, {.input = lines[i] + "\n"}).out) << i;
  const std::string loud = "predict --model " + golden;
  EXPECT_EQ(succeed(loud, {.input = text}).out, all.out);
  expect_in(succeed(loud, {.input = text}).err, "bytes");
}

TEST_F(Predict, LinesBeforeAFaultyOneAreAnswered) {
  const Result result = run(predict_, {.input = "the film\ngood\nna\xefve\nbad\n"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(lines_of(result.out).size(), 2U);
  expect_in(result.err, "predict: standard input:3: is not UTF-8");
}

TEST_F(Predict, ThePrecisionIsAChoice) {
  const std::string line = "the film is good .\n";
  const std::string f32 = succeed(predict_ + " --precision f32 --json", {.input = line}).out;
  EXPECT_EQ(succeed(predict_ + " --json", {.input = line}).out, f32) << "as evaluate and training";
  EXPECT_NE(succeed(predict_ + " --precision bf16 --json", {.input = line}).out, f32);
  expect_refused(predict_ + " --precision int3 text", {"--precision int3: choose auto, f32 or bf16"});
}

}  // namespace
}  // namespace espalier
