// SPDX-License-Identifier: Apache-2.0
// Compares models: quality, size and speed on the same text, as a table and as an HTML page with plots.
#include <cstdio>

#include "apps/shared/comparison.h"
#include "apps/shared/datasets.h"
#include "apps/shared/evaluation.h"
#include "apps/shared/part_table.h"
#include "apps/shared/precision.h"
#include "apps/shared/program.h"
#include "apps/shared/progress.h"
#include "apps/shared/timing.h"
#include "core/kernels/isa.h"
#include "core/parallel.h"
#include "data/files/atomic_file.h"

namespace {
using namespace espalier;

struct Options {
  std::vector<std::string> models;
  std::string data, output, precision = "f32";
  int64_t batch_size = 32;
  int max_length = 128, rounds = 3;
};

// Speeds are medians: the machine's other work disturbs single rounds.
ComparedModel measure(const std::string& source, const Options& o, const std::function<void()>& step) {
  ComparedModel m;
  m.name = source;
  std::unique_ptr<Model> model;
  m.preparation = seconds_of([&] { model = open_model(source); });
  check_max_length(o.max_length, model->config.max_position_embeddings);
  model->bert->set_compute(choose_precision(o.precision).compute, Use::inference);
  const TokenizedDataset data = load_tsv(o.data, model->tokenizer, model->bert->head(), o.max_length);
  std::vector<double> one, many;
  for (int round = 0; round < o.rounds; ++round)
    for (const int64_t batch_size : {o.batch_size, int64_t{1}}) {
      const Evaluation e = evaluate(*model->bert, data, batch_size);
      (batch_size == 1 ? one : many).push_back(e.seconds);
      if (batch_size != 1)
        m.loss = e.metrics.loss, m.accuracy = e.metrics.best(), m.batches = static_cast<double>(e.batches);
      step();
    }
  const auto sentences = static_cast<double>(data.sentences());
  m.runtime = median(many);
  m.batches /= m.runtime;
  m.many = sentences / m.runtime;
  m.one = sentences / median(one);
  const PartReport total = sum_of(report_of(*model, 32));
  m.bits = bits_of(total);
  m.parameters = total.parameters;
  m.sparsity = total.sparsity();
  m.flop = total.flop;
  m.bytes = size_of_model(source);
  return m;
}

int run(const Options& o, const CommonOptions& common) {
  CHECK(o.batch_size >= 2, "--batch-size ", o.batch_size, ": at least 2 is expected; 1 is measured anyway");
  CHECK(o.rounds >= 1, "--rounds ", o.rounds, ": at least 1 is expected");
  if (!o.output.empty()) AtomicFile{o.output};  // throws unless it can be written, before the work
  std::vector<ComparedModel> models;
  {
    int64_t done = 0;
    Progress progress(std::ssize(o.models) * o.rounds * 2, !common.quiet, true);
    for (const std::string& source : o.models) {
      models.push_back(measure(source, o, [&] { progress.update(++done, source); }));
      if (common.json) print_json(to_json(models.back()));
    }
  }
  const std::string about = o.data + ", batches of " + std::to_string(o.batch_size) + "; " +
                            kernels::cpu_description() +
                            format(", %d threads, medians of %d rounds", threads(), o.rounds);
  if (!common.json) print_comparison(models);
  if (!o.output.empty()) write_file(o.output, comparison_page(models, about, o.batch_size));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  return run_program(
      argc, argv,
      "Compares models on the same text: loss, accuracy, size, zeros, bits, work, time to open and sentences a "
      "second.\n"
      "Example: report dense.h5 pruned.h5 int8.h5 --data ../shared/data/sst2/dev.tsv --output report.html",
      [&](CLI::App& app) {
        app.add_option("models", o.models, "checkpoints FILE.h5 or Hugging Face directories")->required();
        app.add_option("--data", o.data, "TSV file with a header: sentence, optional sentence2, label")->required();
        app.add_option("--output", o.output, "HTML page with the table and two plots");
        app.add_option("--batch-size", o.batch_size, "sentences a batch; one by one is measured, too")
            ->capture_default_str();
        app.add_option("--max-length", o.max_length, "tokens a sentence or pair")->capture_default_str();
        app.add_option("--rounds", o.rounds, "of each measurement; the median is reported")->capture_default_str();
        declare_precision(app, o.precision);
        return [&](const CommonOptions& common) { return run(o, common); };
      });
}
