// SPDX-License-Identifier: Apache-2.0
// Loss, metrics by class and speed of a model on a file of text.
#include <cmath>
#include <optional>

#include "apps/cli/evaluation_report.h"
#include "apps/cli/model_option.h"
#include "apps/inference/classifier.h"
#include "apps/training/evaluate.h"
#include "apps/training/output.h"
#include "apps/training/table_options.h"
#include "apps/training/timing.h"
#include "core/check.h"
#include "core/ranks/join.h"
#include "data/files/atomic_file.h"
#include "data/text/read_text.h"

namespace {
using namespace espalier;

std::string logits_text(const Evaluation& e, int64_t classes) {
  std::string text;
  for (size_t i = 0; i < e.logits.size(); ++i)
    text +=
        format("%.6f", static_cast<double>(e.logits[i])) + ((i + 1) % static_cast<size_t>(classes) == 0 ? "\n" : "\t");
  return text;
}

struct Evaluate {
  ModelOption model;
  std::string data;
  TableOptions table;
  OutputFile logits;
  Precision precision = Precision::f32;
  int64_t batch_size = 32;
  MaxLength max_length;

  void declare(Options& rows) {
    model.declare(rows);
    rows.add("data", data, "TSV, CSV or JSON lines with a text, or a pair of them, and if there is one a label")
        .required();
    declare_table(rows, table);
    logits.declare(rows, "logits", "file for the logits: a row of C numbers per sentence, in file order");
    rows.add("batch-size", batch_size, "sentences a batch; sentences are sorted by length").at_least(1);
    rows.add("max-length", max_length, "tokens a sentence or pair, with [CLS] and [SEP]");
    rows.add("precision", precision, "of the encoder's products: f32, bf16, or auto: bf16 where the CPU has it");
  }

  int run(const CommonOptions& common) const {
    std::optional<Classifier> classifier;
    const double preparation = seconds_of([&] {
      classifier.emplace(model.open_for_inference(common),
                         ClassifierOptions{.precision = precision, .max_length = max_length});
    });
    const Model& m = classifier->model();
    const TokenizedDataset text =
        read_text(data, m.tokenizer, m.bert->head(), classifier->max_length(),
                  {.labels = Labels::if_present, .table = table, .say = common.listener().say});
    CHECK(!logits.wanted() || m.bert->head().width() > 0, "--logits: this model's logits belong to tokens");
    const FileLock lock = logits.lock();
    say_what_is_initialised(m, common);
    if (text.labels.empty()) common.listener().say(data + " has no labels: no loss and no accuracy");
    Evaluation result;
    {
      const Listener listener = common.listener();
      result = evaluate(*m.bert, text, batch_size,
                        [&](int64_t done, int64_t all) { listener.progress(done, all, "batches"); });
    }
    if (result.labelled && !std::isfinite(result.metrics.loss))
      throw Failure(m.source +
                    format(": its answers are no numbers, the loss is %g; its weights are too large, as after ",
                           result.metrics.loss) +
                    "a training that diverged");
    if (!is_first_rank()) return 0;
    logits.announce_replaced(Written::text);
    if (logits.wanted()) write_file(logits.path, logits_text(result, m.bert->head().width()));
    if (common.json)
      print_json(to_json(result, m.bert->head(), preparation));
    else
      print(result, m.bert->head(), preparation);
    return 0;
  }
};

}  // namespace

int main(int argc, char** argv) {
  return run_program<Evaluate>(argc, argv,
                               "Evaluates a model: loss, accuracy (or what its task is judged by) and a report "
                               "by class; sentences a second.\nExample: evaluate --model model.h5 --data "
                               "runs/data/sst2/dev.tsv --logits logits.tsv",
                               join_ranks);
}
