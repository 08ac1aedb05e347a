// SPDX-License-Identifier: Apache-2.0
// Compares models: quality, size and speed on the same text, as a table, a page with plots, Markdown and JSON.
#include <deque>

#include "apps/cli/program.h"
#include "apps/reporting/columns.h"
#include "apps/reporting/measurement.h"
#include "apps/reporting/report_files.h"
#include "apps/reporting/short_names.h"
#include "apps/reporting/training_curves.h"
#include "apps/reporting/written.h"
#include "apps/training/table_options.h"
#include "core/check.h"
#include "core/format.h"
#include "core/kernels/isa.h"
#include "core/parallel.h"
#include "data/text/examples.h"

namespace {
using namespace espalier;

struct Report {
  std::vector<std::string> models, logs;
  MeasureOptions measured;
  ReportFiles files;

  void declare(Options& rows) {
    rows.add("models", models, "checkpoints FILE.h5 or Hugging Face directories; differences are from the first one")
        .positional();
    rows.add("data", measured.data, "TSV, CSV or JSON lines with a text, or a pair of them, and a label").required();
    declare_table(rows, measured.table);
    files.declare(rows);
    rows.rule([this] { CHECK(!models.empty(), "models are missing; expected one or more, before the options"); });
    rows.add("logs", logs,
             "folders of trainings (--log-dir) for loss curves; that of a model FILE.h5 is found if it is FILE")
        .no_default();
    rows.add("batch-size", measured.batch_size, "sentences a batch; one by one is measured, too")
        .range([this] { return measured.batch_size >= 2; }, "at least 2 is expected; 1 is measured anyway");
    rows.add("max-length", measured.max_length, "tokens a sentence or pair");
    rows.add("rounds", measured.rounds, "of each measurement; the median is reported").at_least(1);
    rows.add("precision", measured.precision,
             "of the encoder's products: f32, bf16, or auto: bf16 where the CPU has it");
  }

  std::vector<ModelFigures> compare(const std::vector<std::string>& names, const CommonOptions& common) const {
    std::deque<Measurement> open;
    for (size_t i = 0; i < models.size(); ++i) {
      const Measurement& last = open.emplace_back(models[i], names[i], measured, common);
      CHECK(last.metric() == open.front().metric(), models[i], ": is judged by ", last.metric(), ", ", models.front(),
            " by ", open.front().metric(), "; expected models for the same task");
    }
    int64_t done = 0;
    const int64_t all = std::ssize(models) * (measured.rounds + 1);
    const Listener listener = common.listener();
    for (int round = 0; round < measured.rounds; ++round)
      for (size_t i = 0; i < models.size(); ++i) {
        open[i].round();
        listener.progress(++done, all, names[i]);
      }
    std::vector<ModelFigures> compared;
    for (size_t i = 0; i < models.size(); ++i) {
      compared.push_back(open[i].finish());
      listener.progress(++done, all, names[i]);
      if (common.json) print_json(to_json(compared.back(), compared.front()));
    }
    return compared;
  }

  int run(const CommonOptions& common) const {
    const std::vector<FileLock> locks = files.lock();
    const std::vector<std::string> names = short_names(models);
    ReportContext context{.data = measured.data, .batch_size = measured.batch_size};
    context.curves = curves_of(logs, models, names);
    const std::vector<ModelFigures> compared = compare(names, common);
    context.about = measured.data +
                    format(", %ld sentences, batches of %ld; ", compared.front().sentences, measured.batch_size) +
                    kernels::cpu_description() + format(", %d threads, %d rounds", threads(), measured.rounds);
    for (const Example& e : read_dataset(measured.data, {.labels = Labels::ignored, .table = measured.table}).examples)
      context.sentences.push_back(e.second.empty() ? e.first : e.first + " | " + e.second);
    if (!common.json) print_table(compared);
    files.write(compared, context);
    return 0;
  }
};

}  // namespace

int main(int argc, char** argv) {
  return run_program<Report>(
      argc, argv,
      "Compares models on the same text: quality with its interval, size, work, memory, speed, and how the others "
      "differ from the\nfirst one.\n"
      "Example: report dense.h5 pruned.h5 int8.h5 --data runs/data/sst2/dev.tsv --output report.html report.json");
}
