// SPDX-License-Identifier: Apache-2.0
// Label and probability of sentences given as arguments or as lines of standard input.
#include <cstdio>
#include <iostream>

#include "apps/shared/datasets.h"
#include "apps/shared/model_flags.h"

namespace {
using namespace espalier;

struct Options {
  ModelFlags model;
  std::vector<std::string> text;
  int max_length = 128;
};

void predict_line(const Model& model, const std::string& line, int max_length, bool json) {
  const auto tab = line.find('\t');  // a pair is two texts with a tab between
  const auto encoding = tab == std::string::npos
                            ? model.tokenizer.encode(line, max_length)
                            : model.tokenizer.encode_pair(line.substr(0, tab), line.substr(tab + 1), max_length);
  PackedBatch batch;
  batch.ids = encoding.ids;
  batch.segments = encoding.segments;
  batch.offsets = {0, static_cast<int32_t>(encoding.ids.size())};
  Context context;
  const Answer answer = model.bert->head().answer((*model.bert)(batch, context).value);
  if (json) {
    print_json({{"text", line},
                {"label", answer.label},
                {"probability", answer.probability},
                {"probabilities", answer.probabilities}});
    return;
  }
  std::printf("%s\t%.4f\t%s\n", answer.label.c_str(), answer.probability, line.c_str());
  std::fflush(stdout);
}

int run(const Options& o, const CommonOptions& common) {
  const auto model = o.model.open(common);
  check_max_length(o.max_length, model->config.max_position_embeddings);
  model->bert->set_compute(DType::f32, Use::inference);
  if (!common.quiet && !model->report.initialised.empty())
    std::fprintf(stderr, "predict: %s\n", model->report.text().c_str());
  for (const std::string& line : o.text) predict_line(*model, line, o.max_length, common.json);
  if (o.text.empty())
    for (std::string line; std::getline(std::cin, line);) predict_line(*model, line, o.max_length, common.json);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  return run_program(
      argc, argv,
      "Predicts the class of sentences: label, probability, text. A tab inside a text separates the two of a pair.\n"
      "Example: predict --model model.h5 \"a warm , funny film .\"      or: predict --model model.h5 < sentences.txt",
      [&](CLI::App& app) {
        o.model.declare(app);
        app.add_option("text", o.text, "sentences; without any, lines of standard input");
        app.add_option("--max-length", o.max_length, "tokens a sentence or pair, with [CLS] and [SEP]")
            ->capture_default_str();
        return [&](const CommonOptions& common) { return run(o, common); };
      });
}
