// SPDX-License-Identifier: Apache-2.0
// Every mistake of a user is answered by one line that names file, line or option, what was found and what was
// expected; the exit code is 2, and no file is touched.
#include <sys/stat.h>

#include "tests/apps/bad_input.h"

namespace espalier {
namespace {

TEST_F(BadInput, Options) {
  expect_all_refused("train_sst2 --data data --output m.h5" + tiny,
                     {{"--batch-size 0", {"--batch-size 0: ", "at least 1 is expected"}},
                      {"--epochs 9223372036854775807", {"--epochs 9223372036854775807: at most 1000000 is expected"}},
                      {"--batch-size 9223372036854775807", {"at most 1000000 is expected"}},
                      {"--accumulate 9223372036854775807", {"at most 1000000 is expected"}},
                      {"--epochs 0", {"--epochs 0: ", "at least 1 is expected"}},
                      {"--epochs 1e3", {"--epochs '1e3': a whole number is expected"}},
                      {"--accumulate 0", {"--accumulate 0: ", "at least 1 is expected"}},
                      {"--max-steps -1", {"--max-steps -1: ", "at least 0 is expected"}},
                      {"--save-every -1", {"--save-every -1: ", "at least 0 is expected"}},
                      {"--evaluate-every -1", {"--evaluate-every -1: ", "at least 0 is expected"}},
                      {"--warmup 2", {"--warmup 2: a share from 0 to 1 is expected"}},
                      {"--warmup x", {"--warmup 'x': a number is expected"}},
                      {"--dropout 1", {"--dropout 1: a probability below 1 is expected"}},
                      {"--dropout -0.5", {"--dropout -0.5: a probability below 1 is expected"}},
                      {"--learning-rate 0", {"--learning-rate 0: a positive number is expected"}},
                      {"--learning-rate nan", {"--learning-rate 'nan': a number is expected"}},
                      {"--learning-rate 1e400", {"--learning-rate '1e400': a number is expected"}},
                      {"--warmup inf", {"--warmup 'inf': a number is expected"}},
                      {"--batch-size 0x10", {"--batch-size '0x10': a whole number is expected"}},
                      {"--batch-size 5abc", {"--batch-size '5abc': a whole number is expected"}},
                      {"--batch-size=", {"--batch-size is empty; INT is expected"}},
                      {"--batch-size= 5", {"'5' is not expected here"}},
                      {"--batch-size --quiet", {"--batch-size has no value: found '--quiet'; expected "}},
                      {"--batch-size", {"--batch-size has no value: found nothing; expected "}},
                      {"--seed 99999999999999999999", {"--seed '99999999999999999999': a whole number"}},
                      {"--epochs 99999999999999999999", {"--epochs '99999999999999999999': a whole number"}},
                      {"--epochs 2 --epochs=2", {"--epochs is given twice; expected once"}},
                      {"--quiet --quiet=false", {"--quiet is given twice, as 'true' and 'false'"}},
                      {"--quiet=maybe", {"--quiet 'maybe': true or false is expected"}},
                      {"--labels a,,b", {"--labels has an empty value in its list"}},
                      {"--labels a,b,", {"--labels has an empty value in its list"}},
                      {"-q", {"'-q' is not expected here (", "--help"}},
                      {"---", {"'---' is not expected here (", "--help"}},
                      {"--\xff\x1b", {"'--\xff?' is not expected here (", "--help"}},
                      {"--weight-decay -1", {"--weight-decay -1: ", "is expected"}},
                      {"--max-grad-norm -1", {"--max-grad-norm -1: ", "is expected"}},
                      {"--schedule foo", {"--schedule foo: choose linear, constant or cosine"}},
                      {"--precision int3", {"--precision int3: choose auto, f32 or bf16"}},
                      {"--shuffle maybe", {"--shuffle 'maybe': true or false is expected"}},
                      {"--labels one", {"--labels", "at least two"}},
                      {"--labels one,one", {"a name is given twice"}},
                      {"--max-length 100000", {"--max-length 100000: expected 3 … 512"}},
                      {"--max-length 1", {"--max-length 1: expected 3 … 512"}},
                      {"--threads -1", {"--threads -1: ", "is expected"}},
                      {"--threads many", {"--threads 'many': a whole number is expected"}},
                      {"--seed -1", {"--seed '-1': a whole number from 0 on is expected"}},
                      {"--threads 100000", {"--threads 100000: ", "on this machine"}},
                      {"--bogus 3", {"'--bogus' is not expected here (", "--help"}},
                      {"--bacth-size 3", {"'--bacth-size' is not expected here; did you mean --batch-size?"}},
                      {"--prune.amont 0.5", {"did you mean --prune.amount?"}},
                      {"stray", {"'stray' is not expected here", "--help"}},
                      {"--log-dir m.h5 --overwrite", {"m.h5: the log folder cannot be made"}},
                      {"--log-dir /proc/none --overwrite", {"/proc/none: the log folder cannot be made"}}});
}

TEST_F(BadInput, OptionsOfTheOtherPrograms) {
  expect_all_refused("evaluate --data data/dev.tsv" + tiny,
                     {{"--batch-size 0", {"--batch-size 0: at least 1 is expected"}},
                      {"--max-length 2", {"--max-length 2: expected 3 … 512"}},
                      {"--precision x", {"--precision x: choose"}},
                      {"--bogus", {"'--bogus' is not expected here"}}});
  expect_all_refused("predict" + tiny, {{"--max-length 600", {"--max-length 600: expected 3 … 512"}},
                                        {"--threads 1.5", {"--threads '1.5': a whole number is expected"}}});
  expect_all_refused("tokenize", {{"--model " + golden + " --max-length 1", {"--max-length 1: at least 2 is expected"}},
                                  {"--model random:tiny",
                                   {"--model random:tiny: there is no such file; expected a checkpoint FILE.h5 or a"}},
                                  {"", {"--model is required", "tokenize --help"}}});
  expect_all_refused("bench", {{"", {"--help"}},
                               {"fly", {"what fly: choose train, infer, gemm, sparse, adamw, attention, vocabulary"}},
                               {"train --steps 0 --data data" + tiny, {"--steps"}},
                               {"infer --batch-size -3 --data data" + tiny, {"--batch-size"}}});
  expect_all_refused("train_sst2", {{"", {"is required", "train_sst2 --help"}},
                                    {"--model", {"--model"}},
                                    {"--model random:tiny", {"--output is required"}}});
}

TEST_F(BadInput, LongErrorsAreCut) {
  const Result result = run("predict text --model " + std::string(5000, 'x'));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_LT(result.err.size(), 700U);
  expect_in(result.err, " bytes more)");
}

TEST_F(BadInput, Environment) {
  for (const std::string& command :
       {"train_sst2 --data data --output m.h5" + tiny, "predict text" + tiny, std::string("tokenize --model m.h5")})
    expect_refused(command, {"ESPALIER_ISA: 'foo' is unknown", "scalar"}, {.environment = {"ESPALIER_ISA=foo"}});
  expect_refused("train_sst2 --output m.h5" + tiny, {"nowhere/train.tsv: cannot be opened: No such file"},
                 {.environment = {"ESPALIER_DATA=nowhere"}});
  EXPECT_EQ(bytes("m.h5"), "precious");
}

TEST_F(BadInput, ConfigFiles) {
  write("unknown.toml", "epochs = 2\nbogus = 3\n");
  write("underscore.toml", "batch_size = 2\n");
  write("section.toml", "[train]\nepochs = 2\n");
  write("number.toml", "epochs = \"two\"\n");
  write("real.toml", "epochs = 2.0\n");
  write("list.toml", "epochs = [2]\n");
  write("truth.toml", "[prune]\namount = true\n");
  write("rate.toml", "learning-rate = nan\n");
  write("labels.toml", "labels = [\"a\", \"\"]\n");
  write("flag.toml", "resume = 1\n");
  write("far.toml", "[prune]\nbegin = 3\n");
  write("word.toml", "epochs = 2\nschedule = linear\n");
  write("large.toml", std::string((1 << 20) + 1, '\n'));
  write("nothing.toml", "learning-rate = \n");
  write("range.toml", "batch-size = 0\n");
  write("binary.toml", std::string("\0\xff\xfe\x01", 4));
  expect_all_refused(
      "train_sst2 --data data --output m.h5" + tiny,
      {{"--config unknown.toml", {"unknown.toml:2:9: 'bogus' is not an option"}},
       {"--config underscore.toml", {"underscore.toml:1:14: 'batch_size' is not an option; did you mean batch-size?"}},
       {"--config section.toml", {"section.toml:2:10: 'train.epochs' is not an option"}},
       {"--config number.toml", {"number.toml:1:10: epochs has the value '\"two\"'; a whole number"}},
       {"--config real.toml", {"real.toml:1:10: epochs has the value '2.0'; a whole number"}},
       {"--config list.toml", {"list.toml:1:10: epochs has a list; one value is expected"}},
       {"--config truth.toml", {"truth.toml:2:10: prune.amount has the value 'true'; a number"}},
       {"--config rate.toml", {"rate.toml:1:17: --learning-rate 'nan': a number is expected"}},
       {"--config labels.toml", {"labels.toml:1:10: --labels has an empty value in its list"}},
       {"--config flag.toml", {"flag.toml:1:10: resume has the value '1'; true or false"}},
       {"--config far.toml", {"far.toml:2:9: --prune.begin: nothing is pruned without --prune.amount"}},
       {"--config word.toml", {"word.toml:2:12: found 'schedule = linear'; ", "text in quotes"}},
       {"--config nothing.toml", {"nothing.toml:1:17: found 'learning-rate = '; "}},
       {"--config range.toml", {"range.toml:1:14: --batch-size 0: at least 1 is expected"}},
       {"--config binary.toml", {"binary.toml:1:"}},
       {"--config large.toml", {"large.toml: has 1048577 bytes; at most 1048576 are read"}},
       {"--config /dev/zero", {"/dev/zero: is a device; expected a file"}},
       {"--config none.toml", {"none.toml: cannot be opened: No such file"}},
       {"--config=", {"--config is empty; the name of a file is expected"}},
       {"--config far.toml --config far.toml", {"--config is given twice; expected once"}},
       {"--config data", {"data: is a directory; expected a file"}}});
}

TEST_F(BadInput, DataFiles) {
  write("empty.tsv", "");
  write("header.tsv", "sentence\tlabel\n");
  write("headless.tsv", "a good film\t1\n");
  write("unlabelled.tsv", "sentence\tclass\na\t1\n");
  write("range.tsv", "sentence\tlabel\na\t0\nb\t2\n");
  write("negative.tsv", "sentence\tlabel\na\t-2\n");
  write("mixed.tsv", "sentence\tlabel\na\t-1\nb\t1\n");
  write("word.tsv", "sentence\tlabel\na\t0\nb\t1\nc\tgood\n");
  write("columns.tsv", "sentence\tlabel\na\tb\t1\n");
  write("binary.tsv", std::string("sentence\tlabel\na\0b\t1\n", 21));
  const auto data = [](const std::string& name) { return "--data " + name; };
  std::vector<Row> rows = {{data("empty.tsv"), {"empty.tsv: is empty; expected a header line"}},
                           {data("header.tsv"), {"header.tsv: ", "no examples"}},
                           {data("headless.tsv"), {"headless.tsv:1: ", "no column 'sentence'", "'a good film'"}},
                           {data("range.tsv"), {"range.tsv:3: label '2'", "0 to 1"}},
                           {data("negative.tsv"), {"negative.tsv:2: label '-2'", "0 to 1"}},
                           {data("mixed.tsv"), {"mixed.tsv:"}},
                           {data("word.tsv"), {"word.tsv:4: label 'good'", "0 to 1"}},
                           {data("columns.tsv"), {"columns.tsv:2: found 3 columns; expected 2"}},
                           {data("binary.tsv"), {"binary.tsv:2: holds a NUL byte; expected UTF-8"}},
                           {data("none.tsv"), {"none.tsv: cannot be opened: No such file or directory"}},
                           {data("data"), {"data: is a directory; expected a file"}},
                           {data("/dev/zero"), {"/dev/zero: is a device; expected a file"}},
                           {data("pipe.tsv"), {"pipe.tsv: is a pipe; expected a file"}}};
  ASSERT_EQ(::mkfifo((*this / "pipe.tsv").c_str(), 0600), 0);
  expect_all_refused("evaluate --logits m.h5" + tiny, rows);

  for (const Row& row : rows) {  // and train_sst2, where the file is one of two
    const std::string name = row.arguments.substr(7);
    if (name == "data" || !std::filesystem::is_regular_file(*this / name)) continue;
    for (const char* split : {"train.tsv", "dev.tsv"}) {
      std::filesystem::rename(*this / "data" / split, *this / "aside");
      std::filesystem::copy(*this / name, *this / "data" / split, std::filesystem::copy_options::copy_symlinks);
      expect_refused("train_sst2 --data data --output m.h5" + tiny, {"data/" + std::string(split)});
      std::filesystem::rename(*this / "aside", *this / "data" / split);
    }
  }
  expect_all_refused("train_sst2 --output m.h5" + tiny,
                     {{"--data nowhere", {"nowhere/train.tsv: cannot be opened: No such file or directory"}},
                      {"--data empty.tsv", {"empty.tsv: is empty"}}});
  std::filesystem::rename(*this / "unlabelled.tsv", *this / "data/train.tsv");
  expect_all_refused("train_sst2 --output m.h5 --data data" + tiny, {{"", {"train.tsv:1: ", "no column 'label'"}}});
}

TEST_F(BadInput, TestSplitsAreNotForTraining) {
  write("data/train.tsv", "sentence\tlabel\na\t-1\nb\t-1\n");
  expect_refused("train_sst2 --data data --output m.h5" + tiny,
                 {"data/train.tsv:2: label '-1' is none, as in a test split; expected labels here"});
}

TEST_F(BadInput, StandardInput) {
  const std::vector<std::string> programs = {"predict --model " + golden + " --max-length 20 --quiet",
                                             "tokenize --model " + golden};
  for (const std::string& program : programs) {
    expect_refused(program, {"standard input:2: holds a NUL byte"}, {.input = std::string("a\nb\0c\n", 6)});
    expect_refused(program, {"standard input:1: is not UTF-8"}, {.input = "na\xefve\n"});
    expect_refused(program, {"standard input:1: begins as UTF-16"},
                   {.input = std::string("\xff\xfe"
                                         "a\0",
                                         4)});
  }
}

TEST_F(BadInput, Outputs) {
  std::filesystem::create_directory(*this / "folder");
  ASSERT_EQ(mkfifo((*this / "pipe").c_str(), 0600), 0);
  const std::vector<Row> rows = {{"folder", {"folder: is a directory; expected a file to write"}},
                                 {"missing/m.h5", {"missing/m.h5", "there is no folder", "missing"}},
                                 {"/proc/m.h5", {"/proc/m.h5: cannot be written"}},
                                 {"pipe", {"pipe: is a device or pipe", "expected the name of a file"}}};
  // They are refused before the training: the epochs of this one would take hours.
  expect_all_refused("train_sst2 --data data --epochs 1000000" + tiny + " --output", rows);
  expect_all_refused("evaluate --data data/dev.tsv" + tiny + " --quiet --logits", rows);
  EXPECT_TRUE(std::filesystem::is_fifo(*this / "pipe"));
}

}  // namespace
}  // namespace espalier
