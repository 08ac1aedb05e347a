// SPDX-License-Identifier: Apache-2.0
// Loss, accuracy and speed of a model on a TSV file.
#include <cstdio>

#include "apps/shared/datasets.h"
#include "apps/shared/evaluation.h"
#include "apps/shared/model_flags.h"
#include "apps/shared/precision.h"
#include "apps/shared/progress.h"
#include "apps/shared/timing.h"
#include "data/files/atomic_file.h"

namespace {
using namespace espalier;

struct Options {
  ModelFlags model;
  std::string data, logits, precision = "f32";
  int64_t batch_size = 32;
  int max_length = 128;
};

std::string logits_text(const Evaluation& e, int64_t classes) {
  std::string text;
  for (size_t i = 0; i < e.logits.size(); ++i)
    text +=
        format("%.6f", static_cast<double>(e.logits[i])) + ((i + 1) % static_cast<size_t>(classes) == 0 ? "\n" : "\t");
  return text;
}

int run(const Options& o, const CommonOptions& common) {
  CHECK(o.batch_size >= 1, "--batch-size ", o.batch_size, ": at least 1 is expected");
  std::unique_ptr<Model> model;
  const double preparation = seconds_of([&] { model = o.model.open(common); });
  check_max_length(o.max_length, model->config.max_position_embeddings);
  model->bert->set_compute(choose_precision(o.precision).compute, Use::inference);
  const TokenizedDataset data = load_tsv(o.data, model->tokenizer, model->bert->head(), o.max_length, false);
  CHECK(o.logits.empty() || model->bert->head().width() > 0, "--logits: this model's logits belong to tokens");
  if (!o.logits.empty()) AtomicFile{o.logits};  // throws unless it can be written, before the work
  if (!common.quiet && !model->report.initialised.empty())
    std::fprintf(stderr, "evaluate: %s\n", model->report.text().c_str());
  Evaluation result;
  {
    Progress progress((data.sentences() + o.batch_size - 1) / o.batch_size, !common.quiet, true);
    result =
        evaluate(*model->bert, data, o.batch_size, [&](int64_t done, int64_t) { progress.update(done, "batches"); });
  }
  if (!o.logits.empty()) write_file(o.logits, logits_text(result, model->bert->head().width()));
  auto metrics = result.to_json();
  metrics["model_preparation_time"] = preparation;
  if (common.json) {
    print_json(metrics);
    return 0;
  }
  for (const auto& [name, value] : metrics.items()) std::printf("%-26s %.4f\n", name.c_str(), value.get<double>());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  return run_program(
      argc, argv,
      "Evaluates a classifier: loss, accuracy, sentences a second.\nExample: evaluate --model model.h5 --data "
      "../shared/data/sst2/dev.tsv --logits logits.tsv",
      [&](CLI::App& app) {
        o.model.declare(app);
        app.add_option("--data", o.data, "TSV file with a header: sentence, optional sentence2, optional label")
            ->required();
        app.add_option("--logits", o.logits, "file for the logits: a row of C numbers per sentence, in file order");
        app.add_option("--batch-size", o.batch_size, "sentences a batch; sentences are sorted by length")
            ->capture_default_str();
        app.add_option("--max-length", o.max_length, "tokens a sentence or pair, with [CLS] and [SEP]")
            ->capture_default_str();
        declare_precision(app, o.precision);
        return [&](const CommonOptions& common) { return run(o, common); };
      });
}
