// SPDX-License-Identifier: Apache-2.0
// Processes that mpirun starts: their messages, what they must have in common, and how a run of several ends.
#include <csignal>
#include <thread>

#include "core/kernels/isa.h"
#include "tests/apps/mpirun.h"

namespace espalier {
namespace {

const Around impatient{.environment = {"ESPALIER_RANK_TIMEOUT=3"}};

class Ranks : public Mpirun {
 protected:
  static std::string program(const std::string& arguments, bool quiet = true) {
    return ESPALIER_APPS_DIR "/../tests/ranks_program " + arguments + (quiet ? " --quiet" : "");
  }
  // Expects one line on stderr, which begins with the program's name and holds the parts.
  static void expect_line(const Result& result, int code, const std::vector<std::string>& parts) {
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;
    for (const std::string& part : parts) expect_in(result.err, part);
  }
  static void expect_refused(const Result& result, const std::vector<std::string>& parts) {
    expect_line(result, 2, parts);
  }
  std::string train(const std::string& more) const {
    return "train --model random:tiny --vocab vocab.txt --data data --output m.h5 --quiet --threads 1 --epochs 1 " +
           more;
  }
};

TEST_F(Ranks, ExchangeMessages) {
  for (const int ranks : {2, 3}) {
    const Result result = run_ranks(ranks, program("messages"));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.err, "");
    EXPECT_EQ(result.out, "rank 0 of " + std::to_string(ranks) + " is content\n");
  }
}

TEST_F(Ranks, ExchangeMessagesOverTcp) {
  const Result result =
      run_ranks(2, program("messages --megabytes 16"), {.environment = {"OMPI_MCA_btl=self,tcp", "OMPI_MCA_pml=ob1"}});
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

TEST_F(Ranks, AnErrorOfOneEndsTheRunAndNamesIt) {
  expect_line(run_ranks(3, program("error")), 2, {"ranks_program: rank 2 (host ", "): file.tsv: is not there"});
  expect_line(run_ranks(2, program("error-with-message")), 1, {"rank 1 (host ", "): the disk is full"});
  expect_line(run_ranks(2, program("error-of-first")), 1, {"ranks_program: the disk is full"});
}

TEST_F(Ranks, AnErrorOfAllIsSaidOnce) {
  expect_line(run_ranks(3, program("error-of-all")), 2, {"ranks_program: file.tsv: is not there"});
}

TEST_F(Ranks, AKilledRankIsNamed) {
  expect_line(run_ranks(3, program("killed")), 137, {"rank 2 (host ", ") is gone: it was killed", "--resume"});
}

TEST_F(Ranks, AStoppedRankIsNamed) {
  expect_line(run_ranks(3, program("stopped"), impatient), 1,
              {"rank 2 (host ", ") has not answered for 3 s", "--resume"});
}

TEST_F(Ranks, ARankThatHangsIsNamed) {
  expect_line(run_ranks(3, program("hangs"), impatient), 1,
              {"rank 2 (host ", ") has neither computed nor waited for another rank for 3 s", "--resume"});
}

TEST_F(Ranks, MustHaveTheSameOptionsAndData) {
  expect_refused(run_each({train("--learning-rate 1e-3"), train("--learning-rate 2e-3")}),
                 {"train: --learning-rate: rank 1 (host ", ") was given '0.002', and rank 0 (host ", ") '0.001'"});
  expect_refused(run_each({program("--text one"), program("--text two")}), {"--text: rank 1"});
  std::filesystem::copy(*this / "data", *this / "other");
  write_bytes(*this / "other/train.tsv", "sentence\tlabel\n" + reviews(71, 1));
  const std::string same = "train --model random:tiny --vocab vocab.txt --output m.h5 --quiet --data ";
  expect_refused(run_each({same + "data", same + "other"}),
                 {"train.tsv", "rank 1 (host ", ") has 71 sentences of ", ") has 70 sentences of ", "all ranks need"});
}

TEST_F(Ranks, MustBeTheSameProgram) {
  const std::filesystem::path other = *this / "ranks_program";
  std::filesystem::copy(ESPALIER_APPS_DIR "/../tests/ranks_program", other);
  std::ofstream(other, std::ios::app) << "\n";
  expect_refused(run_each({program("messages"), other.string() + " messages"}),
                 {"the program: rank 1 (host ", ") has version ", "all ranks need the same"});
}

TEST_F(Ranks, UseTheBestInstructionSetThatAllHave) {
  const std::string least = kernels::available_isas().back();
  const Result result =
      run_each({program("messages", false), "-x ESPALIER_ISA=" + least + " " + program("messages", false)});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  expect_in(result.err, "kernels and products on " + least + ", the best that all ranks have: rank 0 (host ");
}

TEST_F(Ranks, AreRefusedByProgramsThatRunAlone) {
  expect_refused(run_ranks(2, "predict --model m.h5 text"),
                 {"predict: this program is one process, and mpirun has started 2; start it without mpirun"});
  EXPECT_EQ(run_ranks(1, "predict --version").exit_code, 0);
}

TEST_F(Ranks, MayNotBeMoreThanMicroBatches) {
  expect_refused(run_ranks(3, train("--micro-batches 2")), {"3 ranks for 2 micro-batches"});
}

}  // namespace
}  // namespace espalier
