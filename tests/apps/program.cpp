// SPDX-License-Identifier: Apache-2.0
#include "tests/apps/program.h"

#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <sstream>

#include "tests/apps/mpirun.h"

namespace espalier {
namespace {

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream words(text);
  return {std::istream_iterator<std::string>(words), {}};
}

// The child's half of a start: surroundings, then the program. Ends with 127 where that fails.
[[noreturn]] void become(const std::filesystem::path& folder, std::vector<std::string> arguments,
                         const Around& around) {
  const std::string path = std::filesystem::path(ESPALIER_APPS_DIR) / arguments.at(0);  // as it is, if it begins with /
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  unsetenv("ESPALIER_DATA");
  for (const std::string& entry : around.environment) {
    const size_t equals = entry.find('=');
    setenv(entry.substr(0, equals).c_str(), entry.substr(equals + 1).c_str(), 1);
  }
  const rlimit no_core{};
  setrlimit(RLIMIT_CORE, &no_core);
  if (around.largest_file > 0) {
    const rlimit limit{around.largest_file, around.largest_file};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  // A traced program stops for its parent at each signal, even at one that it ignores: reap() kills it there.
  if (around.killed_at_limit) ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
  if (around.largest_memory > 0) {
    const rlimit limit{around.largest_memory, around.largest_memory};
    setrlimit(RLIMIT_AS, &limit);
  }
  if (around.one_thread) {  // root is not limited
    const rlimit limit{1, 1};
    setrlimit(RLIMIT_NPROC, &limit);
    constexpr uid_t somebody = 54321;
    if (geteuid() == 0 && setuid(somebody) != 0) _exit(127);
  }
  if (chdir(folder.c_str()) == 0) execv(path.c_str(), argv.data());
  _exit(127);
}

std::string text_of(std::FILE* file) {
  std::string text;
  std::array<char, 4096> part{};
  std::rewind(file);
  for (size_t n = 0; (n = std::fread(part.data(), 1, part.size(), file)) > 0;) text.append(part.data(), n);
  std::fclose(file);
  return text;
}

}  // namespace

Process::Process(const std::filesystem::path& folder, const std::string& command, const Around& around)
    : in_(std::tmpfile()), out_(std::tmpfile()), err_(std::tmpfile()) {
  std::vector<std::string> arguments = words_of(command);
  arguments.insert(arguments.end(), around.more.begin(), around.more.end());
  std::fwrite(around.input.data(), 1, around.input.size(), in_);
  std::rewind(in_);
  pid_ = fork();
  if (pid_ != 0) return;
  dup2(fileno(in_), STDIN_FILENO);
  dup2(fileno(out_), STDOUT_FILENO);
  dup2(fileno(err_), STDERR_FILENO);
  become(folder, std::move(arguments), around);
}

Process::~Process() {
  if (pid_ > 0 && runs()) {
    send(SIGKILL);
    reap(0);
  }
  for (std::FILE* file : {in_, out_, err_})
    if (file != nullptr) std::fclose(file);
}

// Once it has been waited for there is nothing to signal: its id is -1 then, which to kill() means every process.
void Process::send(int signal) const {
  if (pid_ > 0) ::kill(pid_, signal);
}

void Process::reap(int options) {
  while (pid_ > 0 && waitpid(pid_, &status_, options) == pid_) {
    if (!WIFSTOPPED(status_)) {
      pid_ = -1;
    } else if (WSTOPSIG(status_) == SIGXFSZ) {
      send(SIGKILL);
    } else {
      const int signal = WSTOPSIG(status_) == SIGTRAP ? 0 : WSTOPSIG(status_);
      ptrace(PTRACE_CONT, pid_, nullptr, signal);
    }
  }
}

int Process::threads() const {
  const std::filesystem::directory_iterator tasks("/proc/" + std::to_string(pid_) + "/task");
  return static_cast<int>(std::distance(begin(tasks), end(tasks)));
}

bool Process::runs() {
  reap(WNOHANG);
  return pid_ > 0;
}

Result Process::wait() {
  reap(0);
  Result result{.out = text_of(out_), .err = text_of(err_)};
  std::fclose(in_);
  in_ = out_ = err_ = nullptr;
  if (WIFEXITED(status_)) result.exit_code = WEXITSTATUS(status_);
  if (WIFSIGNALED(status_)) result.signal = WTERMSIG(status_);
  return result;
}

Programs::Programs() {
  std::filesystem::create_directory(folder_ / "data");
  write_bytes(folder_ / "data/train.tsv", "sentence\tlabel\n" + reviews(70, 1));
  write_bytes(folder_ / "data/dev.tsv", "sentence\tlabel\n" + reviews(20, 2));
  write_bytes(folder_ / "data/labels.txt", "negative\npositive\n");
  write_bytes(
      folder_ / "vocab.txt",
      "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\na\nfilm\nplot\nis\nnot\nvery\ngood\nbad\nwarm\ndull\n##ly\n.\n");
}

Result Programs::run(const std::string& command, const Around& around) const {
  if (around.ranks == 0) return Process(folder_.path(), command, around).wait();
  return Process(folder_.path(), start(around.ranks, command), surroundings(around)).wait();
}

Result Programs::succeed(const std::string& command, const Around& around) const {
  Result result = run(command, around);
  EXPECT_EQ(result.exit_code, 0) << command << "\n" << result.err;
  return result;
}

nlohmann::json Programs::json(const std::string& command) const {
  return objects_of(succeed(command + " --json --quiet").out).at(0);
}

void Programs::expect_refused(const std::string& command, const std::vector<std::string>& parts, const Around& around,
                              int code) const {
  const Result result = run(command, around);
  EXPECT_EQ(result.exit_code, code) << command << "\n" << result.err;
  EXPECT_EQ(lines_of(result.err).size(), 1U) << command << "\n" << result.err;
  EXPECT_TRUE(result.err.starts_with(command.substr(0, command.find(' ')) + ": ")) << result.err;
  EXPECT_TRUE(result.err.ends_with("\n")) << result.err;
  for (const std::string& part : parts) expect_in(result.err, part);
}

std::string reviews(int count, unsigned seed) {
  std::mt19937 random(seed);  // its numbers are the same everywhere; a distribution's are not
  const auto one_of = [&](std::initializer_list<const char*> words) {
    return std::string(words.begin()[random() % words.size()]) + " ";
  };
  std::string text;
  for (int i = 0; i < count; ++i) {
    const bool good = random() % 2 == 1, negated = random() % 4 == 0;
    text += one_of({"the", "a"}) + one_of({"film", "plot"}) + "is " + (negated ? "not " : "");
    for (auto very = random() % 12; very > 8; --very) text += "very ";
    text += (good != negated ? one_of({"good", "warm"}) : one_of({"bad", "dull"})) + ".\t" + (good ? "1\n" : "0\n");
  }
  return text;
}

std::string command_line(const std::string& program, const Options& options) {
  std::string text = program;
  for (const auto& [name, value] : options) text += " --" + name + (value.empty() ? "" : " " + value);
  return text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<nlohmann::json> objects_of(const std::string& text) {
  std::vector<nlohmann::json> objects;
  for (const std::string& line : lines_of(text)) {
    objects.push_back(nlohmann::json::parse(line, nullptr, false));
    EXPECT_TRUE(objects.back().is_object()) << line;
  }
  return objects;
}

}  // namespace espalier
