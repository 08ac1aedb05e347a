// SPDX-License-Identifier: Apache-2.0
// Models that leave as Hugging Face directories: the programs read them with the same logits.
#include "tests/apps/program.h"

namespace espalier {
namespace {

class ExportProgram : public Programs {
 protected:
  std::string logits_of(const std::string& model) const {
    succeed("evaluate --model " + model + " --data data/dev.tsv --quiet --logits logits.tsv");
    return bytes("logits.tsv");
  }
  void expect_same_logits(const std::string& a, const std::string& b) const {
    const std::string logits = logits_of(a);
    EXPECT_EQ(lines_of(logits).size(), 20U);
    EXPECT_EQ(logits_of(b), logits);
  }
};

TEST_F(ExportProgram, AShrunkModelLeavesWithItsOwnShapes) {
  succeed("train_sst2 --model random:tiny --vocab vocab.txt --data data --output dense.h5 --epochs 1 --quiet");
  const auto dense = objects_of(succeed("export --model dense.h5 --format hf --output dense --json").out).at(0);
  EXPECT_EQ(dense["output"], "dense");
  EXPECT_EQ(dense["transformers"], true);
  EXPECT_GT(dense["bytes"].get<int64_t>(), 4 * dense["parameters"].get<int64_t>());
  expect_same_logits("dense.h5", "dense");

  succeed("prune --model dense.h5 --output neurons.h5 --amount 0.5 --structure neuron --shrink --quiet");
  const auto even = succeed("export --model neurons.h5 --output neurons").out;
  expect_in(even, "transformers loads it as BertForSequenceClassification\n");
  expect_same_logits("neurons.h5", "neurons");

  succeed("prune --model neurons.h5 --output heads.h5 --amount 0.5 --structure head --shrink --quiet");
  const auto uneven = succeed("export --model heads.h5 --output heads/ --quiet").out;
  EXPECT_EQ(uneven, "transformers cannot load these shapes (layer 0 has 1 of 2 heads); Espalier's programs do\n");
  expect_same_logits("heads.h5", "heads");
  const auto again = objects_of(succeed("export --model heads --output again --json").out).at(0);
  EXPECT_EQ(again["transformers"], false);
  EXPECT_LT(again["parameters"], dense["parameters"]);
  for (const std::string file :
       {"/config.json", "/model.safetensors", "/tokenizer.json", "/tokenizer_config.json", "/vocab.txt"})
    EXPECT_TRUE(!bytes("heads" + file).empty() && bytes("again" + file) == bytes("heads" + file)) << file;
  succeed("train_sst2 --model heads --data data --output on.h5 --epochs 1 --quiet");
}

TEST_F(ExportProgram, MistakesAreOneLine) {
  const std::string tiny = "export --model random:tiny --vocab vocab.txt ";
  expect_refused(tiny, {"--output is required"});
  expect_refused(tiny + "--output out --format tflite", {"--format tflite: choose hf, onnx, edge or h5"});
  expect_refused("export --model nothing.h5 --output out", {"nothing.h5: there is no such file"});
  expect_refused(tiny + "--output vocab.txt", {"vocab.txt: is a file"});
  expect_refused(tiny + "--output data", {"data: is a directory with files in it; expected a new or empty one"});
  expect_refused(tiny + "--output nowhere/out", {"nowhere/out: cannot be made: there is no folder"});
  for (const std::string format : {"hf", "onnx"})
    expect_refused(tiny + "--output data --format " + format, {"data: is a directory with files in it"});
  EXPECT_FALSE(exists("out") || exists("out.part"));
}

TEST_F(ExportProgram, NothingIsHalfWritten) {
  const std::map<std::string, std::string> formats = {{"hf", "model.safetensors"}, {"onnx", "onnx/model.onnx"}};
  for (const auto& [format, file] : formats) {
    const std::string command =
        "export --model random:tiny --vocab vocab.txt --quiet --output " + format + " --format " + format;
    Around full{.largest_file = 100'000};
    expect_refused(command, {file + ": cannot be written"}, full, 1);
    EXPECT_FALSE(exists(format) || exists(format + ".part"));
    full.killed_at_limit = true;
    EXPECT_EQ(run(command, full).signal, SIGKILL);
    EXPECT_FALSE(exists(format));
    EXPECT_TRUE(exists(format + ".part"));
    succeed(command);
    EXPECT_TRUE(exists(format + "/" + file));
    EXPECT_FALSE(exists(format + ".part") || exists(format + "/" + file + ".part"));
  }
}

TEST_F(ExportProgram, AnInt8ModelLeavesAsF32OrAsOnnx) {
  succeed("quantize --model random:tiny --vocab vocab.txt --output int8.h5 --mode dynamic --quiet");
  const auto hf = succeed("export --model int8.h5 --output hf").out;
  expect_in(hf, "int8 weights became f32 numbers; their scales are in quantization.json\n");
  EXPECT_EQ(logits_of("hf").empty(), false);
  expect_in(succeed("export --model int8.h5 --output onnx --format onnx").out, "ONNX Runtime, OpenVINO and Optimum");
  EXPECT_LT(bytes("onnx/onnx/model.onnx").size(), bytes("hf/model.safetensors").size());
  EXPECT_EQ(bytes("onnx/tokenizer.json"), bytes("hf/tokenizer.json"));
  expect_in(bytes("onnx/config.json"), "\"dtype\": \"fp32\"");
}

}  // namespace
}  // namespace espalier
