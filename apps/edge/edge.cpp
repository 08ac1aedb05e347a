// SPDX-License-Identifier: Apache-2.0
// Answers with an edge file: the smallest program around espalier.h, for any machine that the runtime is built for.
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include "apps/inference/espalier.h"

namespace {

const char* const help =
    "usage: edge MODEL.edge [TEXT...]\n"
    "Answers texts, or lines of standard input, with a file that export --format edge has written:\n"
    "label, score of each class, text, with tabs between. A tab inside a line separates the two texts of a pair.\n"
    "Example: edge model.edge \"a warm , funny film .\"      or: edge model.edge < sentences.txt\n"
    "  --max-length N   tokens a text or pair, with [CLS] and [SEP] (128, or as many as the model has)\n"
    "  --help, --version\n";

int complain(const std::string& what) {
  std::fprintf(stderr, "edge: %s\n", what.c_str());
  return 2;
}

// False where the model cannot answer; espalier_error() says why.
bool answer(const espalier_classifier* model, const std::string& line) {
  std::vector<double> scores(espalier_label_count(model));
  int label = -1;
  const size_t tab = line.find('\t');
  espalier_text text = {line.data(), tab == std::string::npos ? line.size() : tab, nullptr, 0};
  if (tab != std::string::npos) text.second = line.data() + tab + 1, text.second_length = line.size() - tab - 1;
  if (espalier_classify_batch(model, &text, 1, scores.data(), &label) != ESPALIER_OK) return false;
  std::printf("%s\t", label < 0 ? espalier_task(model) : espalier_label_name(model, static_cast<size_t>(label)));
  for (size_t c = 0; c < scores.size(); ++c) std::printf("%s%.6f", c > 0 ? " " : "", scores[c]);
  std::printf("\t%s\n", line.c_str());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  espalier_options options = ESPALIER_OPTIONS;
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--help") return std::fputs(help, stdout), 0;
    if (word == "--version") return std::printf("espalier %s\n", espalier_version()), 0;
    if (word == "--max-length") {
      const char* const number = ++i < argc ? argv[i] : "";
      char* end = nullptr;
      const long tokens = std::strtol(number, &end, 10);
      if (*number == '\0' || *end != '\0' || tokens < 3 || tokens > 100000)
        return complain("--max-length '" + std::string(number) + "': expected a number from 3 on");
      options.max_length = static_cast<int>(tokens);
    } else if (word.size() > 1 && word.starts_with("--")) {
      return complain(word + ": there is no such option; see edge --help");
    } else {
      words.push_back(word);
    }
  }
  if (words.empty()) return complain("which model? see edge --help");

  espalier_classifier* model = nullptr;
  if (const int code = espalier_open(words[0].c_str(), &options, &model); code != ESPALIER_OK)
    return complain(espalier_error()), code;
  bool answered = true;
  for (size_t i = 1; i < words.size() && answered; ++i) answered = answer(model, words[i]);
  if (words.size() == 1)
    for (std::string line; answered && std::getline(std::cin, line);) {
      if (line.ends_with('\r')) line.pop_back();
      answered = answer(model, line);
    }
  if (!answered) complain(espalier_error());
  espalier_close(model);
  return answered ? 0 : 1;
}
