// SPDX-License-Identifier: Apache-2.0
// Programs where the system gives them little: the right answer, or one line that says what is short.
#include <functional>
#include <new>

#include "apps/cli/before_main.h"
#include "tests/apps/program.h"

namespace espalier {
namespace {

class Resources : public Programs {
 protected:
  Resources() { succeed("train_sst2 --data data --output m.h5 --max-steps 1 --quiet" + tiny_); }

  // No signal, no hang: what it printed without the limit, or one line and exit code 1. The loader's own is 127.
  void expect_answer_or_line(const std::string& command, const Around& around, const std::string& answer) const {
    const Result result = run(command, around);
    SCOPED_TRACE(command + ", " + std::to_string(around.largest_memory >> 20) + " MB");
    EXPECT_EQ(result.signal, 0);
    if (result.exit_code == 0) {
      EXPECT_TRUE(answer.empty() || result.out == answer) << result.out;
      return;
    }
    EXPECT_TRUE(result.exit_code == 1 || result.exit_code == 127) << result.exit_code;
    EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;
  }

  const std::string tiny_ = " --model random:tiny --vocab vocab.txt";
};

TEST_F(Resources, OneThreadUntilMoreAreAskedFor) {
  Process process(folder_.path(), "train_sst2 --data data --output t.h5 --epochs 100000 --threads 1 --quiet" + tiny_);
  usleep(400000);
  EXPECT_EQ(process.threads(), 1);
  EXPECT_TRUE(process.runs());
}

TEST_F(Resources, WithoutThreads) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers start a thread of their own at the end";
#endif
  const Around around = {.one_thread = true};
  const std::string predict = "predict --quiet --model m.h5 film plot ";
  if (run(predict + "--threads 1", around).exit_code == 127) GTEST_SKIP() << "another user may not read the folder";
  EXPECT_EQ(succeed(predict, around).out, succeed(predict).out);
  expect_refused("evaluate --data data/dev.tsv --model m.h5 --quiet --threads 2",
                 {"the system allows no more than 1 of 2 threads; try --threads 1"}, around, 1);
}

// What no program can catch: an exception that leaves a destructor, or a thread of a library.
TEST(Termination, IsOneLine) {
  EXPECT_STREQ(program_name(), "tests_apps");  // and so what before_main sets holds in this program
  const auto end = [](const std::function<void()>& thrower) noexcept { thrower(); };
  EXPECT_EXIT(end([] { throw std::bad_alloc(); }), testing::ExitedWithCode(1), "^tests_apps: out of memory\n$");
  EXPECT_EXIT(end([] { throw std::runtime_error("pthread_create has failed: …"); }), testing::ExitedWithCode(1),
              "^tests_apps: the system allows no more threads, or no memory for them; try --threads 1\n$");
  EXPECT_EXIT(end([] { throw std::runtime_error("x: is full"); }), testing::ExitedWithCode(1),
              "^tests_apps: x: is full\n$");
  EXPECT_EXIT(std::terminate(), testing::ExitedWithCode(1), "^tests_apps: out of memory, or a fault of its own\n$");
}

TEST_F(Resources, LittleMemory) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers need more address space";
#endif
  const std::string commands[] = {"predict --quiet --model m.h5 film",
                                  "evaluate --quiet --data data/dev.tsv --logits l.tsv --model m.h5",
                                  "train_sst2 --quiet --data data --output t.h5 --max-steps 1 --precision f32" + tiny_,
                                  "quantize --quiet --model m.h5 --output q.h5", "inspect m.h5"};
  for (const std::string& command : commands) {
    const bool same = command.starts_with("predict") || command.starts_with("inspect");
    const std::string answer = same ? succeed(command).out : "";
    for (const size_t megabytes : {70, 90, 110, 150, 300})
      expect_answer_or_line(command, {.largest_memory = megabytes << 20}, answer);
  }
}

}  // namespace
}  // namespace espalier
