// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/first_answer.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "apps/training/timing.h"
#include "core/check.h"
#include "core/parallel.h"

namespace espalier {
namespace {

// Both ends are closed in programs that are started, but for what these were told to take.
struct Pipe {
  Pipe() {
    if (pipe2(ends, O_CLOEXEC) != 0) throw Failure(std::string("a pipe cannot be made: ") + std::strerror(errno));
  }
  ~Pipe() {
    for (const int end : ends)
      if (end >= 0) close(end);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int ends[2] = {-1, -1};  // to read from, to write to
};

class Child {
 public:
  Child(const std::vector<std::string>& command, int in, int out, int err) {
    std::vector<char*> arguments;
    arguments.reserve(command.size() + 1);
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
    const int error = posix_spawn(&pid_, arguments.front(), &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw Failure(command.front() + ": cannot be started: " + std::strerror(error));
  }
  ~Child() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // The most memory that it has used so far; 0 once it has ended.
  int64_t peak_memory() const {
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("VmHWM:")) return std::stoll(line.substr(6)) * 1024;
    return 0;
  }

 private:
  pid_t pid_ = -1;
};

std::string read_line(int file) {
  std::string line;
  for (char c = 0; !line.ends_with('\n') && read(file, &c, 1) == 1;) line += c;
  return line;
}

FirstAnswer first_answer(const std::vector<std::string>& command) {
  Pipe in, out, err;
  const std::string line = "a warm , funny film .\n";
  CHECK(write(in.ends[1], line.data(), line.size()) == std::ssize(line), "a pipe takes less than ", line.size(),
        " bytes");
  const Stopwatch watch;
  const Child child(command, in.ends[0], out.ends[1], err.ends[1]);
  for (Pipe* pipe : {&out, &err}) close(std::exchange(pipe->ends[1], -1));  // so that reading ends with the child
  if (read_line(out.ends[0]).ends_with('\n')) return {watch.seconds(), child.peak_memory()};
  throw Failure(command.front() + ": has ended without an answer: " + read_line(err.ends[0]));
}

}  // namespace

std::vector<std::string> predict_command(const std::string& model, Precision precision, const CommonOptions& common,
                                         const std::string& vocab) {
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe");
  std::vector<std::string> command = {self.parent_path() / "predict",
                                      "--model",
                                      model,
                                      "--quiet",
                                      "--threads",
                                      std::to_string(threads()),
                                      "--seed",
                                      std::to_string(common.seed),
                                      "--precision",
                                      text_of(precision)};
  if (!vocab.empty()) command.insert(command.end(), {"--vocab", vocab});
  return command;
}

FirstAnswer median_first_answer(const std::vector<std::string>& command, int starts) {
  std::vector<double> seconds, memory;
  for (int i = -1; i < starts; ++i) {
    const FirstAnswer answer = first_answer(command);
    if (i < 0) continue;
    seconds.push_back(answer.seconds);
    memory.push_back(static_cast<double>(answer.peak_memory));
  }
  return {median(seconds), static_cast<int64_t>(median(memory))};
}

}  // namespace espalier
