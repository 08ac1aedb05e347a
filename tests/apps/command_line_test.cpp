// SPDX-License-Identifier: Apache-2.0
// What every program does with its command line: help whose examples work, version, JSON for machines, TOML files.
#include <algorithm>
#include <cstdio>

#include "tests/apps/program.h"

namespace espalier {
namespace {

const std::vector<std::string> programs = {"train_sst2", "evaluate", "predict", "tokenize", "bench"};

class CommandLine : public Programs {
 protected:
  // Runs a line as a shell in the subfolder `work` does, with the programs on its path. Returns its status.
  int shell(const std::string& line) const {
    const std::string script = "cd '" + (*this / "work").string() +
                               "' && export PATH='" ESPALIER_APPS_DIR "':$PATH && unset ESPALIER_DATA; (" + line +
                               ") > ../out.txt 2> ../err.txt";
    return std::system(script.c_str());
  }
};

TEST_F(CommandLine, HelpTeaches) {
  for (const std::string& program : programs) {
    const Result help = succeed(program + " --help");
    EXPECT_EQ(help.err, "");
    for (const char* part : {"Example: ", "--threads", "--seed", "--config", "--quiet", "--json", "--version"})
      expect_in(help.out, part);
    for (const std::string& line : lines_of(help.out)) {
      if (!line.starts_with("  --")) continue;
      EXPECT_GT(line.size() - std::min(line.size(), line.find("  ", 4)), 10U)
          << program << " does not explain " << line;
    }
  }
}

TEST_F(CommandLine, Version) {
  for (const std::string& program : programs) {
    const Result version = succeed(program + " --version");
    EXPECT_TRUE(version.out.starts_with("Espalier ") && std::isdigit(version.out[9])) << version.out;
    EXPECT_EQ(lines_of(version.out).size(), 1U);
    EXPECT_EQ(version.err, "");
  }
}

// The examples run as they are printed, but for the sizes of encoders, which are not at hand here or too large.
TEST_F(CommandLine, ExamplesInTheHelpWork) {
  for (const char* folder : {"work", "work/runs", "work/runs/data"}) std::filesystem::create_directory(*this / folder);
  std::filesystem::rename(*this / "data", *this / "work/runs/data/sst2");
  std::filesystem::rename(*this / "vocab.txt", *this / "work/vocab.txt");
  write_bytes(*this / "work/sentences.txt", "a good film .\n");
  for (const std::string& program : programs) {
    bool found = false;
    for (std::string line : lines_of(run(program + " --help").out)) {
      if (!line.starts_with("Example: ")) continue;
      found = true;
      for (const auto& [from, to] : {std::pair<std::string, std::string>{"Example: ", ""},
                                     {"runs/models/minilm-l6", "random:tiny"},
                                     {"random:base", "random:tiny"},
                                     {" or: ", "; "}})
        if (const size_t at = line.find(from); at != std::string::npos) line.replace(at, from.size(), to);
      EXPECT_EQ(shell("set -e; " + line), 0) << line << "\n" << bytes("err.txt");
      EXPECT_NE(bytes("out.txt"), "") << line;
    }
    EXPECT_TRUE(found) << program;
  }
  EXPECT_TRUE(exists("work/model.h5") && exists("work/logits.tsv"));
}

TEST_F(CommandLine, JsonIsOneObjectALineAndNothingElse) {
  const std::string model = " --model random:tiny --vocab vocab.txt --json";
  const std::string commands[] = {"train_sst2 --data data --output m.h5 --max-steps 2" + model,
                                  "evaluate --data data/dev.tsv" + model,
                                  "predict" + model,
                                  "tokenize --model m.h5 --json",
                                  "bench train --data data --steps 1" + model,
                                  "bench adamw --steps 1" + model};
  for (const std::string& command : commands) {
    const Result result = succeed(command, {.input = "a \"quoted\\\" text \x01\n"});
    EXPECT_EQ(objects_of(result.out).size(), 1U) << command;
    EXPECT_TRUE(result.out.ends_with("}\n")) << command;
  }
  const auto trained = objects_of(run(commands[0]).out).at(0);
  for (const char* name : {"output", "eval_loss", "eval_accuracy", "steps", "best_step", "train_runtime", "runtime",
                           "train_samples_per_second", "train_steps_per_second", "peak_memory"})
    EXPECT_TRUE(trained.contains(name)) << name;
}

TEST_F(CommandLine, QuietSaysNothingButResults) {
  const std::string model = " --model random:tiny --vocab vocab.txt --quiet";
  for (const std::string& command :
       {"train_sst2 --data data --output m.h5 --max-steps 2" + model, "evaluate --data data/dev.tsv" + model,
        "predict" + model, "bench infer --data data --steps 1" + model})
    EXPECT_EQ(succeed(command, {.input = "a film\n"}).err, "") << command;
}

TEST_F(CommandLine, ConfigForEachProgram) {
  write_bytes(*this / "run.toml", "model = \"random:tiny\"\nvocab = 'vocab.txt'\nquiet = true\nseed = 4\n");
  const std::string flags = " --model random:tiny --vocab vocab.txt --quiet --seed 4";
  const Around input = {.input = "a film\n"};
  EXPECT_EQ(succeed("predict --config run.toml", input).out, succeed("predict" + flags, input).out);
  succeed("evaluate --config run.toml --data data/dev.tsv --logits a.tsv");
  succeed("evaluate --data data/dev.tsv --logits b.tsv" + flags);
  EXPECT_EQ(bytes("a.tsv"), bytes("b.tsv"));
  EXPECT_FALSE(bytes("a.tsv").empty());
  succeed("evaluate --config run.toml --data data/dev.tsv --logits c.tsv --seed 5");
  EXPECT_NE(bytes("c.tsv"), bytes("a.tsv")) << "the command line wins";
}

TEST_F(CommandLine, WordsAreTakenAsTheyAre) {
  const std::string predict = "predict --model random:tiny --vocab vocab.txt --quiet";
  const std::vector<std::string> texts = {"[a film]", "{}", "a,b", "-5", "x=y", "", "\"a\"", "%d", "--film"};
  std::vector<std::string> words = texts;
  words.insert(words.end() - 1, "--");  // behind it no word is an option
  const auto lines = lines_of(succeed(predict, {.more = words}).out);
  ASSERT_EQ(lines.size(), texts.size());
  for (size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(lines[i].substr(lines[i].rfind('\t') + 1), texts[i]);
  EXPECT_EQ(succeed(predict, {.more = {"--max-length=5", "a film"}}).out,
            succeed(predict, {.more = {"a film", "--max-length", "5"}}).out);
  EXPECT_EQ(succeed(predict + "=false --max-length=5 a").err,
            succeed("predict a --model random:tiny --vocab vocab.txt").err);
}

TEST_F(CommandLine, FullDiskBehindStdoutIsAFailure) {
  std::filesystem::create_directory(*this / "work");
  const std::string model = "--model random:tiny --vocab ../vocab.txt --quiet";
  for (const std::string& line :
       {"predict " + model + " text", "evaluate --data ../data/dev.tsv " + model, std::string("predict --help")}) {
    const int status = shell(line + " > /dev/full");
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << line;
    const auto lines = lines_of(bytes("err.txt"));
    ASSERT_EQ(lines.size(), 1U) << bytes("err.txt");
    expect_in(lines[0], ": standard output: writing failed");
  }
}

}  // namespace
}  // namespace espalier
