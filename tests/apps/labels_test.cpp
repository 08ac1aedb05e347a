// SPDX-License-Identifier: Apache-2.0
// Where class names come from, heads that may not answer, and what programs say about what they ignore.
#include <cmath>

#include "data/models/hf.h"
#include "data/models/safetensors.h"
#include "tests/apps/program.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const std::string golden = ESPALIER_TESTS_DIR "/golden/hf_model";  // three labels, 20 positions
const std::string random_tiny = " --model random:tiny --vocab vocab.txt";
const std::string train = "train_sst2 --data data --max-steps 1";

class LabelPrograms : public Programs {
 protected:
  // A copy of the golden directory with another config.json.
  void copy_golden(const std::string& name, const std::string& change = "{}") {
    fs::copy(golden, *this / name);
    Json json = Json::parse(read_bytes(golden + "/config.json"));
    json.merge_patch(Json::parse(change));
    write_bytes(*this / (name + "/config.json"), json.dump());
  }
  void write_data(const std::string& labels_txt, const std::string& first, const std::string& second) {
    fs::remove(*this / "data/labels.txt");
    if (!labels_txt.empty()) write_bytes(*this / "data/labels.txt", labels_txt);
    for (const char* file : {"data/train.tsv", "data/dev.tsv"})
      write_bytes(*this / file, "sentence\tlabel\ngood film\t" + first + "\nbad film\t" + second + "\n");
  }
  Json labels_of(const std::string& model) { return objects_of(succeed("inspect --json " + model).out)[0]["labels"]; }
};

TEST_F(LabelPrograms, ComeFromTheOptionTheModelOrTheData) {
  expect_in(succeed(train + random_tiny + " --labels bad,good --output flag.h5").out,
            "labels: bad, good (from --labels)");
  expect_in(succeed(train + " --model flag.h5 --output further.h5").out, "labels: bad, good (from the model)");
  EXPECT_EQ(labels_of("further.h5"), (Json{"bad", "good"}));
  expect_in(succeed(train + random_tiny + " --output file.h5").out,
            "labels: negative, positive (from data/labels.txt)");
  write_data("", "0", "2");
  expect_in(succeed(train + random_tiny + " --output numbers.h5").out,
            "labels: LABEL_0, LABEL_1, LABEL_2 (numbers in the data)");
  write_data("", "good", "bad");
  expect_in(succeed(train + random_tiny + " --output words.h5").out, "labels: bad, good (words in the data)");
  write_data("", "0", "5");
  expect_refused(train + " --model flag.h5 --output m.h5",
                 {"data/train.tsv:3: label '5' is unknown; expected one of 'bad', 'good' or 0 to 1"});
}

TEST_F(LabelPrograms, AnotherNumberMakesANewHeadAndSaysSo) {
  const std::string to = " --max-length 20 --output m.h5";
  write_data("", "0", "1");
  const Result two = succeed(train + " --labels no,yes --model " + golden + to);
  expect_in(two.out, "new head for 2 labels: the model's has 3 (negative, neutral, positive), whose classifier.bias");
  EXPECT_EQ(labels_of("m.h5"), (Json{"no", "yes"}));
  const Result kept = succeed(train + " --model " + golden + to);
  expect_in(kept.out, "data/train.tsv has 2 of the model's 3 labels; to train a new head for them alone, name them");
  const Result five = succeed(train + " --labels a,b,c,d,e --model m.h5" + to);
  expect_in(five.out, "new head for 5 labels: the model's has 3 (negative, neutral, positive)");
  expect_in(succeed(train + " --labels v,w,x,y,z --model m.h5" + to).out,
            "labels: v, w, x, y, z (from --labels; they replace the model's a, b, c, d, e)");
}

TEST_F(LabelPrograms, NoOrderIsSwappedSilently) {
  const std::string swapped = train + random_tiny + " --labels POSITIVE,NEGATIVE --output m.h5";
  const std::string reason =
      " in labels.txt beside the file, and 'POSITIVE' for the model; expected the same order: write names into the "
      "label column";
  write_data("negative\npositive\n", "0", "1");
  expect_refused(swapped, {"data/train.tsv:2: label 0 is 'negative'" + reason});
  write_data("", "0", "1");
  succeed(swapped);
  expect_refused(train + " --model m.h5 --labels negative,positive --output n.h5",
                 {"m.h5: --labels has 'negative' as class 0, the model as class 1"});
  write_data("negative\npositive\n", "0", "1");
  expect_refused(train + " --model m.h5 --output n.h5", {"data/train.tsv:2: label 0 is 'negative'" + reason});
  expect_refused("evaluate --model m.h5 --data data/dev.tsv", {"data/dev.tsv:2: label 0 is 'negative'" + reason});
  write_data("negative\npositive\n", "NEGATIVE", "POSITIVE");
  succeed("evaluate --model m.h5 --data data/dev.tsv");
}

TEST_F(LabelPrograms, StudentsTakeTheTeachersLabels) {
  succeed(train + random_tiny + " --labels x,y --output teacher.h5");
  const std::string distill = "distill --teacher teacher.h5 --data data --max-steps 1 --output s.h5 ";
  expect_in(succeed(distill + "--student-layers 0").out, "labels: x, y (from the model)");
  expect_in(succeed(distill + "--student random:tiny --vocab vocab.txt").out, "labels: x, y (from teacher.h5)");
  succeed(train + random_tiny + " --labels y,x --output swapped.h5");
  expect_refused(distill + "--student swapped.h5",
                 {"teacher teacher.h5: its labels are x, y, the student's y, x; expected the same in the same order"});
}

TEST_F(LabelPrograms, ARandomHeadNeverAnswers) {
  copy_golden("masked", R"({"architectures": ["BertForMaskedLM"]})");
  const std::string model = " --model masked ", length = " --max-length 20";
  write_data("", "0", "1");
  for (const std::string& command :
       {"predict" + model + "text" + length, "evaluate" + model + "--data data/dev.tsv" + length,
        "report masked --data data/dev.tsv" + length, "export" + model + "--output x",
        "quantize" + model + "--mode dynamic --output q.h5", "prune" + model + "--amount 0.1 --output p.h5",
        "distill --teacher masked --student masked --data data --output s.h5" + length})
    expect_refused(command, {"masked: holds a BertForMaskedLM, which has no classification head",
                             "train one first, with train --model masked"});
  expect_in(succeed("inspect masked").out, "initialised from the seed: classifier.bias, classifier.weight");
  succeed("bench infer --model masked --data data --steps 1" + length);
  expect_in(succeed(train + model + length + " --output m.h5").out, "labels: LABEL_0, LABEL_1 (numbers in the data)");
  succeed("predict --model m.h5 text" + length);
  expect_in(succeed("predict" + random_tiny + " text").err, "initialised from the seed");
}

TEST_F(LabelPrograms, WhatHasNoEffectIsNamedByEveryProgram) {
  copy_golden("m", R"({"logit_scale": 2})");
  write_data("", "0", "1");
  std::map<std::string, Tensor> tensors;
  {
    const Safetensors file(golden + "/model.safetensors");
    for (const auto& [name, entry] : file.entries()) tensors[name] = file.read(name);
  }
  tensors["bert.encoder.layer.0.adapter.up.weight"] = Tensor::zeros({8, 8});
  write_safetensors(*this / "m/model.safetensors", tensors);
  const std::string length = " --max-length 20";
  for (const std::string& command :
       {"predict --model m text" + length, "evaluate --model m --data data/dev.tsv" + length,
        "report m --rounds 1 --data data/dev.tsv" + length, std::string("export --model m --output x"),
        std::string("quantize --model m --mode dynamic --output q.h5"), std::string("inspect m"),
        std::string("prune --model m --amount 0.1 --output p.h5"), train + " --model m --output m.h5" + length,
        "distill --teacher m --student-layers 0 --data data --max-steps 1 --output s.h5" + length,
        "bench infer --model m --data data --steps 1" + length}) {
    const Result result = succeed(command + " --quiet --json");
    expect_in(result.err,
              "warning: m: 1 of its tensors are of unknown purpose and have no effect here: "
              "bert.encoder.layer.0.adapter.up.weight; fields of config.json that have no effect here: logit_scale");
    objects_of(result.out);
  }
}

TEST_F(LabelPrograms, AnswersThatAreNoNumbersAreNotJudged) {
  for (const char* problem : {"single_label_classification", "multi_label_classification", "regression"}) {
    fs::remove_all(*this / "m");
    copy_golden("m", R"({"problem_type": ")" + std::string(problem) + "\"}");
    write_data("", "0 1 0", "1 1 0");
    if (std::string(problem).starts_with("single")) write_data("", "0", "1");
    std::map<std::string, Tensor> tensors;
    {
      const Safetensors file(golden + "/model.safetensors");
      for (const auto& [name, entry] : file.entries()) tensors[name] = file.read(name);
    }
    for (float& w : tensors["classifier.weight"].span<float>()) w = std::copysign(3e38F, w);
    write_safetensors(*this / "m/model.safetensors", tensors);
    expect_refused("evaluate --model m --data data/dev.tsv --quiet --max-length 20",
                   {"evaluate: m: its answers are no numbers, the loss is "}, {}, 1);
  }
}

TEST_F(LabelPrograms, ProblemTypeDecidesWhatIsTrainedAndSaid) {
  copy_golden("many", R"({"problem_type": "multi_label_classification"})");
  const std::string length = " --max-length 20";
  write_data("", "negative,positive", "0 1 0");
  const Result many = succeed(train + " --model many --output many.h5" + length);
  expect_in(many.out, "dev f1");
  const Json line = objects_of(succeed("predict --model many.h5 --json film" + length).out)[0];
  EXPECT_EQ(line["probabilities"].size(), 3U);
  EXPECT_TRUE(line["labels"].is_array());
  expect_in(succeed("predict --model many.h5 film" + length).out, "negative 0.");
  for (const char* field : {"eval_loss", "eval_f1", "eval_exact_match"})
    expect_in(succeed("evaluate --model many.h5 --data data/dev.tsv --json" + length).out, field);
  succeed("export --model many.h5 --output many_again");
  EXPECT_EQ(Json::parse(bytes("many_again/config.json"))["problem_type"], "multi_label_classification");
  succeed("quantize --model many.h5 --mode dynamic --output q.h5");
  expect_refused(train + random_tiny + " --output x.h5 --labels a,b", {"data/train.tsv:2: label 'negative,positive'"});
}

TEST_F(LabelPrograms, RegressionIsTrainedOnNumbers) {
  copy_golden("three", R"({"problem_type": "regression"})");
  write_data("", "0.5 -1 2", "1,2,3");
  const std::string length = " --max-length 20";
  expect_in(succeed(train + " --model three --output r.h5" + length).out, "dev neg_mse");
  const Json line = objects_of(succeed("predict --model r.h5 --json film" + length).out)[0];
  EXPECT_EQ(line["values"].size(), 3U);
  expect_in(succeed("evaluate --model r.h5 --data data/dev.tsv" + length).out, "eval_mse");
  expect_in(succeed("distill --teacher r.h5 --student-layers 0 --data data --max-steps 1 --output s.h5" + length).out,
            "neg_mse");
  expect_in(succeed("report r.h5 s.h5 --rounds 1 --data data/dev.tsv --output r.html" + length).out, "neg_mse");
  write_data("", "0.5", "good");
  expect_refused(train + " --model three --output x.h5" + length, {"data/train.tsv:2: label '0.5' has 1 numbers"});
}

}  // namespace
}  // namespace espalier
