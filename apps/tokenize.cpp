// SPDX-License-Identifier: Apache-2.0
// Token ids of each line of standard input.
#include <filesystem>
#include <iostream>

#include "apps/cli/program.h"
#include "core/check.h"
#include "data/models/checkpoint.h"
#include "data/text/lines.h"

namespace {
using namespace espalier;

Tokenizer open_tokenizer(const std::string& model) {
  if (std::filesystem::is_directory(model)) return Tokenizer::from_directory(model);
  CHECK(std::filesystem::is_regular_file(model), "--model ", model,
        ": there is no such file; expected a checkpoint FILE.h5 or a Hugging Face directory, with a vocabulary inside");
  return Checkpoint(model).tokenizer();
}

struct Tokenize {
  std::string model;
  int max_length = 512;

  void declare(Options& rows) {
    rows.add("model", model, "checkpoint FILE.h5 or Hugging Face directory; its vocabulary is used").required();
    rows.add("max-length", max_length, "ids a line; longer lines are cut")
        .range([this] { return max_length >= 2; }, "at least 2 is expected, for [CLS] and [SEP]");
  }

  int run(const CommonOptions& common) const {
    const Tokenizer tokenizer = open_tokenizer(model);
    for (const std::string& note : tokenizer.notes()) common.listener().say(note);
    std::ios::sync_with_stdio(false);
    std::string out;
    Lines lines = Lines::of_standard_input();
    for (std::string_view line; lines.next(line);) {
      const auto encoding = tokenizer.encode(line, max_length);
      if (common.json) {
        print_json({{"ids", encoding.ids}});
        continue;
      }
      out.clear();
      for (const int32_t id : encoding.ids) out += (out.empty() ? "" : " ") + std::to_string(id);
      std::cout << out << '\n';
    }
    return 0;
  }
};

}  // namespace

int main(int argc, char** argv) {
  return run_program<Tokenize>(
      argc, argv,
      "Writes the token ids of each line of standard input, with [CLS] and [SEP].\nExample: echo \"a fine film\" | "
      "tokenize --model model.h5");
}
