// SPDX-License-Identifier: Apache-2.0
// Every call with which a program writes a file fails in turn, as on a full or broken disk: it says so in one line that
// names the file, leaves the files that were there as they were, and nothing that breaks the next run. By default one
// call of each kind on each file fails; ESPALIER_WRITES=all takes every one of them, with every error.
#include <iostream>
#include <regex>
#include <set>

#include "tests/reliability/files.h"

namespace espalier {
namespace {

struct Writing {
  std::string name;
  std::string command;      // writes into the folder now/, which begins as a copy of before/
  std::string before = {};  // a command that writes into before/
};

void PrintTo(const Writing& writing, std::ostream* out) { *out << writing.name; }

const std::string train = " --data data --batch-size 16 --epochs 1 --threads 2 --quiet --output now/m.h5";

const Writing writings[] = {
    {"train_sst2",
     "train_sst2 --model teacher.h5 --distill.teacher teacher.h5 --distill.hidden-weight 1 --distill.keep-states"
     " --save-every 2 --log-dir now/log --resume" +
         train},
    {"distill", "distill --teacher teacher.h5 --student-layers 0 --prune.amount 0.5 --qat.on --resume" + train},
    {"prune", "prune --model teacher.h5 --amount 0.5 --output now/p.h5 --quiet --overwrite",
     "prune --model teacher.h5 --amount 0.1 --output before/p.h5 --quiet"},
    {"quantize", "quantize --model teacher.h5 --mode dynamic --output now/q.h5 --quiet --overwrite",
     "quantize --model teacher.h5 --mode dynamic --bits 4 --output before/q.h5 --quiet"},
    {"export", "export --model teacher.h5 --output now/hf --quiet"},
    {"export_onnx", "export --model teacher.h5 --format onnx --output now/onnx --quiet"},
    {"evaluate", "evaluate --model teacher.h5 --data data/dev.tsv --logits now/logits.tsv --quiet --overwrite",
     "evaluate --model teacher.h5 --data data/train.tsv --logits before/logits.tsv --quiet"},
    {"report", "report teacher.h5 --data data/dev.tsv --output now/r.html --quiet --overwrite",
     "report teacher.h5 --data data/train.tsv --output before/r.html --quiet"},
};

class FailingWrites : public Programs, public testing::WithParamInterface<Writing> {
 protected:
  FailingWrites() {
    succeed("train_sst2 --model random:tiny --vocab vocab.txt --data data --output teacher.h5 --epochs 1 --quiet");
    std::filesystem::create_directory(*this / "before");
    if (!GetParam().before.empty()) succeed(GetParam().before);
  }

  void begin() const {
    std::filesystem::remove_all(*this / "now");
    std::filesystem::copy(*this / "before", *this / "now", std::filesystem::copy_options::recursive);
  }

  // The calls that the command makes, each "CALL FILE": the file that the user knows, whatever it is called while it is
  // written.
  std::vector<std::string> calls() const {
    succeed(GetParam().command, failing_writes({"ESPALIER_FAIL_LOG=" + (*this / "calls").string()}));
    std::vector<std::string> calls = lines_of(bytes("calls"));
    for (std::string& call : calls) call = std::regex_replace(call, std::regex("(\\.[0-9a-f]{16})?\\.(part|lock)"), "");
    return calls;
  }

  // Call number `at`, which is `call`, fails with the error: from there on, or that one alone.
  void fail(size_t at, const std::string& call, const std::string& error, bool once, const Files& expected) const {
    const std::string what = "call " + std::to_string(at) + ", " + call + ", fails with " + error;
    begin();
    const Files before = files_in(*this / "now");
    std::vector<std::string> settings = {"ESPALIER_FAIL_AT=" + std::to_string(at), "ESPALIER_FAIL_WITH=" + error};
    if (once) settings.emplace_back("ESPALIER_FAIL_ONCE=1");
    const Result result = run(GetParam().command, failing_writes(settings));
    if (result.exit_code != 0 || must_fail(call)) {
      EXPECT_EQ(result.exit_code, 1) << what << "\n" << result.err;
      EXPECT_EQ(lines_of(result.err).size(), 1U) << what << "\n" << result.err;
      expect_in(result.err, file_of(call));
    }
    for (const auto& [name, bytes] : files_in(*this / "now")) {
      EXPECT_FALSE(name.ends_with(".part") || name.ends_with(".lock")) << name << " is left after " << what;
      const auto old = before.find(name);
      EXPECT_TRUE(old == before.end() || bytes == old->second || bytes == expected.at(name))
          << name << " is neither as it was nor complete after " << what;
    }
    if (result.exit_code != 0) succeed(GetParam().command);
    expect_same(files_in(*this / "now"), expected, what);
  }

  // A folder's name is on the disk or not; the file in it is complete either way.
  static bool must_fail(const std::string& call) { return !(call.starts_with("fsync") && is_folder(call)); }
  static bool is_folder(const std::string& call) { return std::filesystem::path(call).extension().empty(); }

  static std::string file_of(const std::string& call) { return std::filesystem::path(call).filename().string(); }
};

TEST_P(FailingWrites, AreToldAndHarmNothing) {
  begin();
  const std::vector<std::string> all = calls();
  const Files expected = files_in(*this / "now");
  ASSERT_FALSE(all.empty());
  const bool every = std::getenv("ESPALIER_WRITES") != nullptr;
  std::set<std::string> met;
  int64_t failed = 0;
  for (size_t i = 0; i < all.size() && !HasFailure(); ++i) {
    if (!every && !met.insert(all[i]).second) continue;
    fail(i + 1, all[i], i % 2 == 0 ? "ENOSPC" : "EIO", false, expected);
    if (every) fail(i + 1, all[i], i % 2 == 0 ? "EIO" : "ENOSPC", true, expected);
    ++failed;
  }
  std::cout << GetParam().name << ": " << failed << " of " << all.size() << " calls failed\n";
}

INSTANTIATE_TEST_SUITE_P(Program, FailingWrites, testing::ValuesIn(writings),
                         [](const auto& p) { return p.param.name; });

}  // namespace
}  // namespace espalier
