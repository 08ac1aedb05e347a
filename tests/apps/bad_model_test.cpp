// SPDX-License-Identifier: Apache-2.0
// Models, vocabularies and directories that are none; see tests/apps/bad_input_test.
#include "tests/apps/bad_input.h"

namespace espalier {
namespace {

TEST_F(BadInput, ModelSources) {
  succeed("train_sst2 --data data --output good.h5 --max-steps 1 --quiet" + tiny);
  const std::string good = bytes("good.h5");
  write("cut.h5", good.substr(0, good.size() / 2));
  write("text.h5", "sentence\tlabel\n");
  write("empty.h5", "");
  const std::string forms =
      "expected a checkpoint FILE.h5, a Hugging Face directory, or random:tiny|mini|small|medium|base|large";
  const std::vector<Row> rows = {{"--model cut.h5", {"cut.h5: "}},
                                 {"--model text.h5", {"text.h5: cannot be opened as HDF5"}},
                                 {"--model empty.h5", {"empty.h5: cannot be opened as HDF5"}},
                                 {"--model nonsense", {"nonsense: there is no such file or directory; ", forms}},
                                 {"--model random:huge", {"random:huge: there is no such size", "tiny"}},
                                 {"--model data", {"data/config.json"}},
                                 {"--model good.h5 --vocab vocab.txt", {"good.h5: has a vocabulary of its own"}}};
  expect_all_refused("train_sst2 --data data --output m.h5", rows);
  expect_all_refused("evaluate --data data/dev.tsv --logits m.h5", rows);
  expect_all_refused("predict text", rows);
}

TEST_F(BadInput, VocabularyFiles) {
  write("blank.txt", "[PAD]\n\n[UNK]\n");
  write("lacking.txt", "the\nfilm\n");
  write("twice.txt", bytes("vocab.txt") + "film\n");
  write("empty.txt", "");
  write("long.txt", bytes("vocab.txt") + "a1\na2\na3\na4\na5\na6\na7\na8\n");
  expect_all_refused("predict text --model random:tiny",
                     {{"--vocab blank.txt", {"blank.txt:2: is blank; expected one token per line"}},
                      {"--vocab lacking.txt", {"lacking.txt: ", "lacks [PAD] [UNK] [CLS] [SEP]"}},
                      {"--vocab twice.txt", {"twice.txt: ", "token film twice"}},
                      {"--vocab empty.txt", {"empty.txt: holds no token; expected one per line"}},
                      {"--vocab none.txt", {"none.txt: "}}});
  expect_all_refused("predict text --max-length 20 --model " + golden,
                     {{"--vocab long.txt", {golden + ": the vocabulary has 26 tokens", "25 rows", "a row for each"}}});
}

TEST_F(BadInput, HuggingFaceDirectories) {
  const auto copy = [&](const std::string& name) {
    std::filesystem::copy(golden, *this / name);
    return name + "/";
  };
  const std::string weights = read_bytes(golden + "/model.safetensors");
  write(copy("cut") + "model.safetensors", weights.substr(0, weights.size() - 100));
  write(copy("head") + "model.safetensors", weights.substr(0, 5));
  write(copy("void") + "model.safetensors", "");
  std::filesystem::remove(*this / (copy("weightless") + "model.safetensors"));
  std::filesystem::remove(*this / (copy("wordless") + "vocab.txt"));
  write(copy("words") + "vocab.txt", read_bytes(golden + "/vocab.txt") + "more\nwords\n");
  write(copy("syntax") + "config.json", "{\"hidden_size\": 8,");
  std::string config = read_bytes(golden + "/config.json");
  config.replace(config.find("\"hidden_size\": 8"), 16, "\"hidden_size\": 16");
  write(copy("shape") + "config.json", config);
  const std::vector<Row> rows = {
      {"--model cut", {"cut/model.safetensors"}},
      {"--model head", {"head/model.safetensors"}},
      {"--model void", {"void/model.safetensors"}},
      {"--model weightless", {"weightless", "model.safetensors"}},
      {"--model wordless", {"wordless", "vocab.txt"}},
      {"--model words", {"words: the vocabulary has 27 tokens and the word embeddings have 25 rows"}},
      {"--model syntax", {"syntax/config.json: is not JSON"}},
      {"--model shape", {"shape", "38 of the wrong shape", "LayerNorm.bias [8] for [16]", "and 35 more"}}};
  expect_all_refused("train_sst2 --data data --output m.h5 --max-length 20 --labels a,b,c", rows);
  expect_all_refused("predict text --max-length 20", rows);
}

}  // namespace
}  // namespace espalier
