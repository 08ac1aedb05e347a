// SPDX-License-Identifier: Apache-2.0
// Label and probability of sentences given as arguments or as lines of standard input.
#include <cstdio>

#include "apps/cli/model_option.h"
#include "apps/training/max_length.h"
#include "core/format.h"
#include "data/text/lines.h"

namespace {
using namespace espalier;

struct Predict {
  ModelOption model;
  std::vector<std::string> text;
  MaxLength max_length;

  void declare(Options& rows) {
    model.declare(rows);
    rows.add("text", text, "sentences; without any, lines of standard input").positional();
    rows.add("max-length", max_length, "tokens a sentence or pair, with [CLS] and [SEP]");
  }

  static void answer(const Model& m, const std::string& line, int longest, bool json) {
    const auto tab = line.find('\t');  // a pair is two texts with a tab between
    const auto encoding = tab == std::string::npos
                              ? m.tokenizer.encode(line, longest)
                              : m.tokenizer.encode_pair(line.substr(0, tab), line.substr(tab + 1), longest);
    PackedBatch batch;
    batch.ids = encoding.ids;
    batch.segments = encoding.segments;
    batch.offsets = {0, static_cast<int32_t>(encoding.ids.size())};
    Context context;
    const Answer a = m.bert->head().answer((*m.bert)(batch, context).value);
    if (json) return print_json(to_json(a, line));
    std::printf("%s\t%s%s\n", a.label.c_str(), numbers_of(a, m.config.labels).c_str(), line.c_str());
    std::fflush(stdout);
  }

  // The probability of the label, or each class with its own; then a tab. Nothing where the answer is a number.
  static std::string numbers_of(const Answer& a, const std::vector<std::string>& labels) {
    if (a.probabilities.empty()) return "";
    if (!a.chosen) return format("%.4f\t", a.probability);
    std::string text;
    for (size_t c = 0; c < labels.size(); ++c)
      text += (c > 0 ? ", " : "") + labels[c] + format(" %.4f", a.probabilities[c]);
    return text + '\t';
  }

  static Record to_json(const Answer& a, const std::string& line) {
    if (a.probabilities.empty()) return {{"text", line}, {"values", a.values}};
    if (a.chosen) return {{"text", line}, {"labels", *a.chosen}, {"probabilities", a.probabilities}};
    return {{"text", line}, {"label", a.label}, {"probability", a.probability}, {"probabilities", a.probabilities}};
  }

  int run(const CommonOptions& common) const {
    const auto m = model.open_for_inference(common);
    const int longest = max_length.of(m->config.max_position_embeddings);
    m->bert->set_compute(DType::f32, Use::inference);
    say_what_is_initialised(*m, common);
    for (const std::string& line : text) answer(*m, line, longest, common.json);
    if (!text.empty()) return 0;
    Lines lines = Lines::of_standard_input();
    for (std::string_view line; lines.next(line);) answer(*m, std::string(line), longest, common.json);
    return 0;
  }
};

}  // namespace

int main(int argc, char** argv) {
  return run_program<Predict>(
      argc, argv,
      "Predicts the class of sentences: label, probability, text. A model with problem_type regression gives its "
      "number "
      "instead;\none for several labels at once the labels above 0.5 and the probability of each. A tab inside a text "
      "separates the two of a pair.\n"
      "Example: predict --model model.h5 \"a warm , funny film .\"      or: predict --model model.h5 < sentences.txt");
}
