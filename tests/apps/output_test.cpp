// SPDX-License-Identifier: Apache-2.0
// Files that programs write: one program at a time, nothing of others is lost without a word.
#include <sys/stat.h>
#include <unistd.h>
#include <csignal>

#include "tests/apps/program.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

class Outputs : public Programs {
 protected:
  Outputs() { succeed(quick_ + "m.h5"); }

  const std::string tiny_ = "train_sst2 --model random:tiny --vocab vocab.txt --data data --quiet ";
  const std::string quick_ = tiny_ + "--max-steps 1 --output ";
  const std::vector<std::string> writers_ = {quick_, "prune --model m.h5 --amount 0.5 --quiet --output ",
                                             "quantize --model m.h5 --mode dynamic --quiet --output ",
                                             "evaluate --model m.h5 --data data/dev.tsv --quiet --logits ",
                                             "report m.h5 --data data/dev.tsv --rounds 1 --quiet --output "};
  // report writes pages only: their names end so.
  static std::string end_of(const std::string& command) { return command.starts_with("report") ? ".html" : ""; }
};

TEST_F(Outputs, ASecondProgramRefuses) {
  Process first(folder_.path(), tiny_ + "--epochs 100000 --save-every 1 --output long.h5 --log-dir log");
  while (first.runs() && !exists("long.state.h5")) usleep(300);
  for (const std::string& command : writers_)
    if (end_of(command).empty())
      expect_refused(command + "long.h5", {"long.h5: another process is writing it now (it holds long.h5.lock)"});
  expect_refused(quick_ + "long.bin", {"long.state.h5: another process is writing it now"});
  expect_refused(quick_ + "other.h5 --log-dir log", {"metrics.jsonl: another process is writing it now"});
  EXPECT_FALSE(exists("long.bin.lock") || exists("other.h5.lock"));
  ASSERT_TRUE(first.runs());
  first.send(SIGKILL);
  EXPECT_EQ(first.wait().signal, SIGKILL);
  EXPECT_TRUE(exists("long.h5.lock"));
  succeed(writers_[1] + "long.h5 --overwrite");  // the lock of a killed run is nobody's
  EXPECT_FALSE(exists("long.h5.lock"));
}

TEST_F(Outputs, WhatIsReplacedIsSaid) {
  for (const std::string& command : writers_) {
    const std::string name = "new" + end_of(command), to_new = command + name;
    EXPECT_EQ(succeed(to_new).err, "") << command;
    EXPECT_EQ(succeed(to_new).err,
              name + ": what is there already will be replaced; --overwrite says that this is meant\n");
    EXPECT_EQ(succeed(to_new + " --overwrite").err, "") << command;
    fs::remove(*this / name);
  }
  const std::string text = bytes("data/train.tsv");
  for (size_t i = 0; i < 3; ++i)
    expect_refused(writers_[i] + "data/train.tsv",
                   {"data/train.tsv: is there already and no checkpoint", "--overwrite"});
  EXPECT_EQ(bytes("data/train.tsv"), text);
  write_bytes(*this / "empty.h5", "");
  EXPECT_EQ(succeed(writers_[1] + "empty.h5").err, "");
  const std::string logged = quick_ + "l.h5 --overwrite --log-dir ";
  EXPECT_EQ(succeed(logged + "log").err, "");
  expect_in(succeed(quick_ + "l2.h5 --log-dir log").err, "log/metrics.jsonl: what is there already will be replaced");
}

TEST_F(Outputs, LinksPipesAndFoldersAreNotWrittenThrough) {
  write_bytes(*this / "victim", "a user's");
  for (const std::string end : {"", ".html"}) {
    fs::create_symlink("victim", *this / ("out" + end + ".part"));
    fs::create_symlink("nothing", *this / ("dangling" + end));
    fs::create_symlink("out" + end, *this / ("link" + end));
    ASSERT_EQ(::mkfifo((*this / ("pipe" + end)).c_str(), 0666), 0);
    fs::create_directory(*this / ("folder" + end));
  }
  for (const std::string& command : writers_) {
    const std::string end = end_of(command);
    succeed(command + "out" + end + " --overwrite");
    EXPECT_EQ(bytes("victim"), "a user's");
    EXPECT_TRUE(fs::is_symlink(*this / ("out" + end + ".part")));
    succeed(command + "link" + end + " --overwrite");
    EXPECT_TRUE(fs::is_symlink(*this / ("link" + end)));
    expect_refused(command + "dangling" + end, {"dangling" + end + ": is a symbolic link to nothing"});
    EXPECT_FALSE(exists("nothing"));
    expect_refused(command + "pipe" + end, {"pipe" + end + ": is a device or pipe"});
    expect_refused(command + "folder" + end, {"folder" + end + ": is a directory"});
    expect_refused(command + "nowhere/x" + end,
                   {"nowhere/x" + end + ": cannot be written: there is no folder nowhere"});
  }
  expect_refused("export --model m.h5 --output dangling", {"dangling: is a symbolic link to nothing"});
  expect_refused("export --model m.h5 --output pipe", {"pipe: is a file"});
}

TEST_F(Outputs, AFinishedRunLeavesItsResultAlone) {
  EXPECT_FALSE(exists("m.state.h5") || exists("m.h5.lock") || exists("m.state.h5.lock"));
  const std::string result = bytes("m.h5");
  expect_in(succeed(quick_ + "m.h5 --resume").err,
            "resume: there is no m.state.h5 to go on from, since this run has ended; its best checkpoint is in m.h5");
  EXPECT_TRUE(bytes("m.h5") == result);
  expect_refused(quick_ + "m.h5 --resume --epochs 9", {"m.h5: --epochs was 3 and is now 9"});
  write_bytes(*this / "data/dev.tsv", "sentence\tlabel\n" + reviews(20, 5));
  expect_refused(quick_ + "m.h5 --resume", {"m.h5: dev.tsv has changed"});
  EXPECT_TRUE(bytes("m.h5") == result);
}

}  // namespace
}  // namespace espalier
