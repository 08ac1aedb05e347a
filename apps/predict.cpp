// SPDX-License-Identifier: Apache-2.0
// Label and probability of sentences given as arguments or as lines of standard input.
#include <cstdio>
#include <exception>

#include "apps/cli/model_option.h"
#include "apps/inference/classifier.h"
#include "core/format.h"
#include "data/text/lines.h"

namespace {
using namespace espalier;

struct Predict {
  ModelOption model;
  std::vector<std::string> text;
  Precision precision = Precision::f32;
  MaxLength max_length;

  void declare(Options& rows) {
    model.declare(rows);
    rows.add("text", text, "sentences; without any, lines of standard input").positional();
    rows.add("max-length", max_length, "tokens a sentence or pair, with [CLS] and [SEP]");
    rows.add("precision", precision, "of the encoder's products: f32, bf16, or auto: bf16 where the CPU has it");
  }

  static void answer(const Classifier& classifier, const std::vector<std::string>& lines, bool json) {
    std::vector<Text> texts;
    for (const std::string_view line : lines) {
      const size_t tab = line.find('\t');  // a pair is two texts with a tab between
      texts.push_back(tab == line.npos ? Text{line} : Text{line.substr(0, tab), line.substr(tab + 1)});
    }
    const std::vector<Answer> answers = classifier.classify(texts);
    for (size_t i = 0; i < lines.size(); ++i)
      json ? print_json(to_json(answers[i], lines[i])) : print(answers[i], classifier.labels(), lines[i]);
    std::fflush(stdout);
  }

  // Lines that are there are answered together, those before a faulty one too. Who waits for an answer before he writes
  // the next line gets it at once.
  static void answer_input(const Classifier& classifier, const CommonOptions& common) {
    constexpr int64_t most_lines = 256, most_bytes = 1 << 20;
    std::error_code ignored;
    const bool to_file = std::filesystem::is_regular_file("/dev/stdout", ignored);
    const Listener listener = to_file ? common.listener() : Listener();  // else a bar would stand among the answers
    Lines input = Lines::of_standard_input();
    for (bool more = true; more;) {
      std::vector<std::string> lines;
      std::exception_ptr fault;
      try {
        const int64_t end = input.given() + most_bytes;
        for (std::string_view line; (more = input.next(line));) {
          lines.emplace_back(line);
          if (std::ssize(lines) == most_lines || input.given() >= end || !input.ready()) break;
        }
      } catch (const Error&) { fault = std::current_exception(); }
      answer(classifier, lines, common.json);
      if (fault) std::rethrow_exception(fault);
      if (!lines.empty() && input.size() > 0) listener.progress(input.given(), input.size(), "bytes");
    }
  }

  // The label, its probability, or each class with its own, and the text.
  static void print(const Answer& a, const std::vector<std::string>& labels, const std::string& line) {
    std::string text = a.label + '\t';
    for (size_t c = 0; a.chosen && c < labels.size(); ++c)
      text += labels[c] + format(" %.4f", a.probabilities[c]) + (c + 1 < labels.size() ? ", " : "\t");
    if (!a.chosen && !a.probabilities.empty()) text += format("%.4f\t", a.probability);
    std::puts((text + line).c_str());
  }

  static Record to_json(const Answer& a, const std::string& line) {
    if (a.probabilities.empty()) return {{"text", line}, {"values", a.values}};
    if (a.chosen) return {{"text", line}, {"labels", *a.chosen}, {"probabilities", a.probabilities}};
    return {{"text", line}, {"label", a.label}, {"probability", a.probability}, {"probabilities", a.probabilities}};
  }

  int run(const CommonOptions& common) const {
    const Classifier classifier(model.open_for_inference(common), {.precision = precision, .max_length = max_length});
    say_what_is_initialised(classifier.model(), common);
    text.empty() ? answer_input(classifier, common) : answer(classifier, text, common.json);
    return 0;
  }
};

}  // namespace

int main(int argc, char** argv) {
  return run_program<Predict>(
      argc, argv,
      "Predicts the class of sentences: label, probability, text. A tab inside a text separates the two of a pair.\n"
      "A model with problem_type regression gives its number instead; one for several labels at once the labels above "
      "0.5 and the\nprobability of each.\n"
      "Example: predict --model model.h5 \"a warm , funny film .\"      or: predict --model model.h5 < sentences.txt");
}
