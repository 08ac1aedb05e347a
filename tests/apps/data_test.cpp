// SPDX-License-Identifier: Apache-2.0
// Other people's data: formats, columns, files, splits and tasks, through the programs.
#include "tests/apps/program.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const std::string tiny = " --model random:tiny --vocab vocab.txt --max-steps 2 --seed 3";

class DataPrograms : public Programs {
 protected:
  void write(const std::string& name, const std::string& bytes) const {
    fs::create_directories((*this / name).parent_path());
    write_bytes(*this / name, bytes);
  }
  Json labels_of(const std::string& model) { return objects_of(succeed("inspect --json " + model).out)[0]["labels"]; }
  // The reviews of data/FILE.tsv as CSV with quotes, and as JSON lines.
  void convert(const std::string& file) const {
    std::string csv = "\xef\xbb\xbfid,\"sentence\",label\r\n", json;
    const auto rows = lines_of(bytes("data/" + file + ".tsv"));
    for (size_t i = 1; i < rows.size(); ++i) {
      const size_t tab = rows[i].find('\t');
      const std::string text = rows[i].substr(0, tab), label = rows[i].substr(tab + 1);
      csv += std::to_string(i) + ",\"" + text + "\"," + label + "\r\n";
      json += Json{{"sentence", text}, {"label", std::stoi(label)}}.dump() + "\n";
    }
    write("csv/" + file + ".csv", csv);
    write("json/" + (file == "dev" ? std::string("validation") : file) + ".jsonl", json);
    for (const char* folder : {"csv", "json"}) write(std::string(folder) + "/labels.txt", "negative\npositive\n");
  }
};

TEST_F(DataPrograms, FormatsTrainToTheSameBits) {
  convert("train");
  convert("dev");
  succeed("train_sst2 --data data --output tsv.h5" + tiny);
  const Result csv = succeed("train_sst2 --data csv --output csv.h5" + tiny);
  expect_in(csv.out, "csv/train.csv: text from column 'sentence', label from 'label'; skipped: 'id'");
  succeed("train_sst2 --data json --output json.h5" + tiny);
  // Every byte of the tokens in a file.
  succeed("train_sst2 --data data --data-memory 0 --output file.h5" + tiny,
          {.environment = {"TMPDIR=" + folder_.path().string()}});
  const auto evaluated = [&](const std::string& model, const std::string& data) {
    succeed("evaluate --model " + model + " --data " + data + " --logits l.tsv --overwrite --quiet");
    return bytes("l.tsv");
  };
  const std::string logits = evaluated("tsv.h5", "data/dev.tsv");
  EXPECT_EQ(evaluated("csv.h5", "csv/dev.csv"), logits);
  EXPECT_EQ(evaluated("json.h5", "json/validation.jsonl"), logits);
  EXPECT_EQ(evaluated("file.h5", "data/dev.tsv --data-memory 0"), logits);
  fs::rename(*this / "csv/dev.csv", *this / "dev.data");
  EXPECT_EQ(evaluated("tsv.h5", "dev.data --format csv"), logits);
}

TEST_F(DataPrograms, AShareIsHeldOutForValidation) {
  fs::remove(*this / "data/dev.tsv");
  expect_refused(
      "train_sst2 --data data --output m.h5" + tiny,
      {"data: has no dev.tsv or validation.tsv (.csv, .jsonl) to evaluate on; expected one in the folder that --data "
       "names, or --dev-data FILE, or --validation-split 0.1"});
  const std::string split =
      "train_sst2 --data data/train.tsv --max-steps 4 --batch-size 8 --model random:tiny --vocab "
      "vocab.txt --seed 1 --validation-split ";
  const Result first = succeed(split + "0.2 --output a.h5 --save-every 2");
  expect_in(first.out, " dev sentences, held out by --validation-split 0.2, --seed 1");
  succeed(split + "0.2 --output b.h5");
  const auto loss = [&](const std::string& model) {
    return objects_of(succeed("evaluate --json --model " + model + " --data data/train.tsv").out)[0]["eval_loss"];
  };
  EXPECT_EQ(loss("a.h5"), loss("b.h5"));
  expect_refused(split + "0.3 --output a.h5 --resume", {"a.h5: --validation-split was 0.2 and is now 0.3"});
  expect_refused("train_sst2 --data data/train.tsv --validation-split 0.001 --output m.h5" + tiny,
                 {"data/train.tsv: has 70 examples, of which a share of 0.001 leaves"});
  succeed("train_sst2 --data data/train.tsv --dev-data data/train.tsv --output m.h5" + tiny);
  write("data/dev.tsv", bytes("data/train.tsv"));
  expect_refused("train_sst2 --data data --validation-split 0.2 --output m2.h5" + tiny,
                 {"--validation-split: there is data/dev.tsv to evaluate on"});
  write("data/train.csv", "sentence,label\n");
  expect_refused("train_sst2 --data data --output m2.h5" + tiny,
                 {"data: has 'train.tsv', 'train.csv'; expected one of them: name the file, with --data"});
}

TEST_F(DataPrograms, TasksFollowFromTheLabelColumn) {
  write("many/train.jsonl",
        "{\"text\": \"good film\", \"labels\": [\"joy\", \"very calm\"]}\n{\"text\": \"bad film\", \"labels\": []}\n"
        "{\"text\": \"dull plot\", \"labels\": [\"anger\"]}\n{\"text\": \"warm plot\", \"labels\": [\"very calm\"]}\n");
  write("many/dev.jsonl", "{\"text\": \"a film\", \"labels\": [\"joy\"]}\n{\"text\": \"not good\", \"labels\": []}\n");
  expect_refused("train_sst2 --data many --output x.h5" + tiny,
                 {"many/train.jsonl:1: 'labels' is a list", "--task multi-label"});
  succeed("train_sst2 --data many --task multi-label --output many.h5" + tiny);
  EXPECT_EQ(labels_of("many.h5"), (Json{"anger", "joy", "very calm"}));

  write("pairs/train.csv", "premise,hypothesis,score\n\"good, warm film\",film,4.5\nbad,good,0\ndull,bad,2.25\n");
  write("pairs/dev.csv", "premise,hypothesis,score\na film,film,5\nnot good,good,0.5\n");
  expect_refused("train_sst2 --data pairs --output x.h5" + tiny,
                 {"pairs/train.csv:2: label '4.5' is a number, but no class", "--task regression"});
  expect_in(succeed("train_sst2 --data pairs --task regression --output score.h5" + tiny).out,
            "pairs/train.csv: text from column 'premise' and 'hypothesis', label from 'score'");
  EXPECT_EQ(labels_of("score.h5"), (Json{"LABEL_0"}));
  expect_in(succeed("evaluate --model score.h5 --data pairs/dev.csv").out, "eval_mse");

  write("stars/train.csv", "Text,Stars\na,5\nb,1\nc,3\nd,2\ne,4\n");
  write("stars/dev.csv", "Text,Stars\na,5\nb,1\n");
  succeed("train_sst2 --data stars --label-column Stars --output stars.h5" + tiny);
  EXPECT_EQ(labels_of("stars.h5"), (Json{"1", "2", "3", "4", "5"}));
  succeed("evaluate --model stars.h5 --data stars/dev.csv --label-column Stars");
  const Result again =
      succeed("train_sst2 --model stars.h5 --data pairs --task regression --output again.h5 --max-steps 1");
  expect_in(again.out, "new head for regression: the model's is for classification");
  expect_refused("train_sst2 --data stars --task poetry --output x.h5" + tiny,
                 {"--task: head is 'poetry'", "multi-label"});
}

TEST_F(DataPrograms, BadLabelsAreRefusedWithTheirLine) {
  const auto refused = [&](const std::string& labels, const std::vector<std::string>& parts,
                           const std::string& more = "") {
    std::string text = "sentence\tlabel\n";
    for (const char c : labels) text += c == ' ' ? "\n" : c == '_' ? "good\t" : std::string(1, c);
    write("bad/train.tsv", text);
    write("bad/dev.tsv", "sentence\tlabel\na\tx\nb\tz\n");
    expect_refused("train_sst2 --data bad --output m.h5" + tiny + more, parts);
  };
  refused("_x _y _x ", {"bad/dev.tsv:3: label 'z' is unknown; expected one of 'x', 'y' or 0 to 1"});
  refused("_x _1 _x ", {"bad/train.tsv:3: label '1' is a number, but others are words, such as 'x'"});
  refused("_0 _1 _0.5 ", {"bad/train.tsv:4: label '0.5' is a number, but no class", "--task regression"});
  refused("_x _x ", {"bad/train.tsv: all labels are 'x'; expected at least two classes"});
  for (const std::string wrong : {"nan", "inf", "-Infinity", "word"})
    refused("_0.5 _" + wrong + " ", {"bad/train.tsv:3: label '" + wrong + "' is not a number"}, " --task regression");
}

TEST_F(DataPrograms, OtherProgramsReadTheSameFiles) {
  convert("train");
  convert("dev");
  succeed("train_sst2 --data csv --output m.h5" + tiny);
  succeed(
      "quantize --model m.h5 --mode static --calibration csv --calibration-steps 2 --analyze csv/dev.csv --output "
      "q.h5");
  succeed("prune --model m.h5 --method wanda --amount 0.3 --data json/train.jsonl --calibration-steps 2 --output p.h5");
  succeed("prune --model m.h5 --vocabulary csv/train.csv --output v.h5");
  succeed("report m.h5 q.h5 --data json/validation.jsonl --rounds 1 --output r.json");
  succeed("distill --teacher m.h5 --student-layers 0 --data json --unlabelled csv/dev.csv --max-steps 1 --output s.h5");
}

}  // namespace
}  // namespace espalier
