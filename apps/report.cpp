// SPDX-License-Identifier: Apache-2.0
// Compares models: quality, size and speed on the same text, as a table and as an HTML page with plots.
#include <optional>

#include "apps/cli/comparison.h"
#include "apps/cli/part_table.h"
#include "apps/cli/program.h"
#include "apps/inference/classifier.h"
#include "apps/training/evaluate.h"
#include "apps/training/output.h"
#include "apps/training/timing.h"
#include "core/check.h"
#include "core/kernels/isa.h"
#include "core/parallel.h"
#include "data/files/atomic_file.h"
#include "data/text/read_text.h"

namespace {
using namespace espalier;

struct Report {
  std::vector<std::string> models;
  std::string data;
  OutputFile output;
  Precision precision = Precision::f32;
  int64_t batch_size = 32;
  MaxLength max_length;
  int rounds = 3;

  void declare(Options& rows) {
    rows.add("models", models, "checkpoints FILE.h5 or Hugging Face directories").positional().required();
    rows.add("data", data, "TSV file with a header: sentence, optional sentence2, label").required();
    output.declare(rows, "output", "HTML page with the table and two plots");
    rows.add("batch-size", batch_size, "sentences a batch; one by one is measured, too")
        .range([this] { return batch_size >= 2; }, "at least 2 is expected; 1 is measured anyway");
    rows.add("max-length", max_length, "tokens a sentence or pair");
    rows.add("rounds", rounds, "of each measurement; the median is reported").at_least(1);
    rows.add("precision", precision, "of the encoder's products: f32, bf16, or auto: bf16 where the CPU has it");
  }

  // Speeds are medians: the machine's other work disturbs single rounds.
  ComparedModel measure(const std::string& source, const Listener& listener, const std::function<void()>& step) const {
    ComparedModel m;
    m.name = source;
    std::optional<Classifier> classifier;
    m.preparation = seconds_of([&] {
      classifier.emplace(open_model(source, {.listener = listener}),
                         ClassifierOptions{.precision = precision, .max_length = max_length});
    });
    const Model& model = classifier->model();
    if (!model.report.initialised.empty()) listener.say(source + ": " + model.report.text());
    const TokenizedDataset text = read_text(data, model.tokenizer, model.bert->head(), classifier->max_length());
    m.metric = model.bert->head().metric();
    std::vector<double> one, many;
    for (int round = 0; round < rounds; ++round)
      for (const int64_t size : {batch_size, int64_t{1}}) {
        const Evaluation e = evaluate(*model.bert, text, size);
        (size == 1 ? one : many).push_back(e.seconds);
        if (size != 1)
          m.loss = e.metrics.loss, m.quality = e.metrics.best(), m.batches = static_cast<double>(e.batches);
        step();
      }
    const auto sentences = static_cast<double>(text.sentences());
    m.runtime = median(many);
    m.batches /= m.runtime;
    m.many = sentences / m.runtime;
    m.one = sentences / median(one);
    const PartReport total = sum_of(report_of(model, 32));
    m.bits = bits_of(total);
    m.parameters = total.parameters;
    m.sparsity = total.sparsity();
    m.flop = total.flop;
    m.bytes = size_of_model(source);
    return m;
  }

  int run(const CommonOptions& common) const {
    const FileLock lock = output.lock();
    std::vector<ComparedModel> compared;
    {
      int64_t done = 0;
      const int64_t all = std::ssize(models) * rounds * 2;
      const Listener listener = common.listener();
      for (const std::string& source : models) {
        compared.push_back(measure(source, listener, [&] { listener.progress(++done, all, source); }));
        CHECK(compared.back().metric == compared.front().metric, source, ": is judged by ", compared.back().metric,
              ", ", compared.front().name, " by ", compared.front().metric, "; expected models for the same task");
        if (common.json) print_json(to_json(compared.back()));
      }
    }
    const std::string about = data + ", batches of " + std::to_string(batch_size) + "; " + kernels::cpu_description() +
                              format(", %d threads, medians of %d rounds", threads(), rounds);
    if (!common.json) print_comparison(compared);
    output.announce_replaced(Written::text);
    if (output.wanted()) write_file(output.path, comparison_page(compared, about, batch_size));
    return 0;
  }
};

}  // namespace

int main(int argc, char** argv) {
  return run_program<Report>(
      argc, argv,
      "Compares models on the same text: loss, accuracy, size, zeros, bits, work, time to open and sentences a "
      "second.\n"
      "Example: report dense.h5 pruned.h5 int8.h5 --data runs/data/sst2/dev.tsv --output report.html");
}
