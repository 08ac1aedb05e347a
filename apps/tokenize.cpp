// SPDX-License-Identifier: Apache-2.0
// Token ids of each line of standard input.
#include <filesystem>
#include <iostream>
#include <optional>

#include "apps/shared/program.h"
#include "data/models/checkpoint.h"
#include "data/text/wordpiece.h"

namespace {
using namespace espalier;

WordPiece open_tokenizer(const std::string& model) {
  if (std::filesystem::is_directory(model)) return WordPiece::from_directory(model);
  CHECK(std::filesystem::is_regular_file(model), "--model ", model,
        ": expected a checkpoint FILE.h5 or a Hugging Face directory, with a vocabulary inside");
  return Checkpoint(model).tokenizer();
}

int run(const std::string& model, int max_length, bool json) {
  CHECK(max_length >= 2, "--max-length ", max_length, ": at least 2 is expected, for [CLS] and [SEP]");
  const WordPiece tokenizer = open_tokenizer(model);
  std::ios::sync_with_stdio(false);
  std::string out;
  for (std::string line; std::getline(std::cin, line);) {
    const auto encoding = tokenizer.encode(line, max_length);
    if (json) {
      print_json({{"ids", encoding.ids}});
      continue;
    }
    out.clear();
    for (const int32_t id : encoding.ids) out += (out.empty() ? "" : " ") + std::to_string(id);
    std::cout << out << '\n';
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::string model;
  int max_length = 512;
  return run_program(
      argc, argv,
      "Writes the WordPiece ids of each line of standard input, with [CLS] and [SEP].\nExample: echo \"a fine film\" | "
      "tokenize --model model.h5",
      [&](CLI::App& app) {
        app.add_option("--model", model, "checkpoint FILE.h5 or Hugging Face directory; its vocabulary is used")
            ->required();
        app.add_option("--max-length", max_length, "ids a line; longer lines are cut")->capture_default_str();
        return [&](const CommonOptions& common) { return run(model, max_length, common.json); };
      });
}
