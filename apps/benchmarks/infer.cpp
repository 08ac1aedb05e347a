// SPDX-License-Identifier: Apache-2.0
// Inference: sentences a second by batch size, time of a request by length, how far that is from what this machine can
// do, and the start of `predict`. Making tokens is not included, but for the start.
#include "apps/benchmarks/infer.h"

#include <cstdio>
#include <map>
#include <numeric>
#include <optional>

#include "apps/benchmarks/benchmarks.h"
#include "apps/cli/first_answer.h"
#include "apps/inference/classifier.h"
#include "apps/training/datasets.h"
#include "core/kernels/gemm_int8.h"
#include "core/kernels/isa.h"
#include "core/parallel.h"
#include "data/text/read_text.h"

namespace espalier {
namespace {

constexpr double long_enough = 3;  // seconds after which a figure is not measured again

class InferenceBench {
 public:
  InferenceBench(const Bert& model, const TokenizedDataset& data, const BenchOptions& options,
                 const CommonOptions& common)
      : model_(model), data_(data), o_(options), common_(common) {}

  void print_throughput();
  void print_requests() const;
  void print_limits();
  void print_start() const;

 private:
  double sentences_per_second(int64_t batch_size);
  PackedBatch request(int64_t number, int64_t length) const;
  double seconds_of_answer(const PackedBatch& batch) const {
    return seconds_of([&] {
      Context context;
      model_(batch, context);
    });
  }

  const Bert& model_;
  const TokenizedDataset& data_;
  const BenchOptions& o_;
  const CommonOptions& common_;
  std::map<int64_t, double> rates_;  // sentences a second by batch size
};

// Of single sentences every fourth is measured.
double InferenceBench::sentences_per_second(int64_t batch_size) {
  if (rates_.contains(batch_size)) return rates_[batch_size];
  const Loader loader(data_, {.batch_size = batch_size, .order = Order::longest_first});
  const Epoch epoch = loader.epoch(0);
  std::vector<PackedBatch> batches;
  int64_t sentences = 0;
  for (int64_t i = 0; i < loader.batches(); i += batch_size == 1 ? 4 : 1) {
    batches.push_back(epoch.batch(i));
    sentences += batches.back().sentences();
  }
  for (size_t i = 0; i < std::min<size_t>(3, batches.size()); ++i) seconds_of_answer(batches[i]);  // warms up
  std::vector<double> passes;
  for (double total = 0; std::ssize(passes) < std::max<int64_t>(1, o_.steps / 4) && total < long_enough;
       total += passes.back()) {
    double seconds = 0;
    for (const PackedBatch& batch : batches) seconds += seconds_of_answer(batch);
    passes.push_back(seconds);
  }
  return rates_[batch_size] = static_cast<double>(sentences) / median(passes);
}

void InferenceBench::print_throughput() {
  const double tokens = static_cast<double>(data_.tokens()) / static_cast<double>(data_.sentences());
  if (!common_.json) std::printf("%16s %14s %10s\n", "sentences a batch", "sentences/s", "tokens/s");
  for (const int64_t size : o_.batch_sizes) {
    const double rate = sentences_per_second(size);
    if (common_.json)
      print_json({{"bench", "infer"}, {"figures", "throughput"}, {"batch_size", size}, {"sentences_per_second", rate}});
    else
      std::printf("%17ld %14.1f %10.0f\n", size, rate, rate * tokens);
  }
}

// Tokens of the data set from another place for each number, between those that begin and end its first sentence.
PackedBatch InferenceBench::request(int64_t number, int64_t length) const {
  PackedBatch batch;
  for (int64_t i = 0; i < length; ++i)
    batch.ids.push_back(data_.ids[static_cast<size_t>((number * 101 + i) % data_.tokens())]);
  batch.ids.front() = data_.ids[0];
  batch.ids.back() = data_.ids[static_cast<size_t>(data_.offsets[1] - 1)];
  batch.segments.resize(batch.ids.size());
  batch.offsets = {0, static_cast<int32_t>(length)};
  return batch;
}

void InferenceBench::print_requests() const {
  if (!common_.json)
    std::printf("\n%16s %10s %10s %10s %10s   (ms, one by one)\n", "tokens a request", "median", "95 %", "99 %",
                "requests");
  for (const int64_t length : o_.lengths) {
    if (length > model_.config().longest()) continue;
    for (int64_t i = 0; i < 3; ++i) seconds_of_answer(request(i, length));  // warms up
    std::vector<double> ms;
    for (double total = 0; std::ssize(ms) < 10 * o_.steps && total < long_enough; total += 1e-3 * ms.back())
      ms.push_back(1e3 * seconds_of_answer(request(std::ssize(ms), length)));
    if (common_.json)
      print_json({{"bench", "infer"},
                  {"figures", "requests"},
                  {"tokens", length},
                  {"ms_50", percentile(ms, 50)},
                  {"ms_95", percentile(ms, 95)},
                  {"ms_99", percentile(ms, 99)},
                  {"requests", std::ssize(ms)}});
    else
      std::printf("%16ld %10.3f %10.3f %10.3f %10ld\n", length, percentile(ms, 50), percentile(ms, 95),
                  percentile(ms, 99), std::ssize(ms));
  }
}

void InferenceBench::print_limits() {
  std::vector<int64_t> every(static_cast<size_t>(data_.sentences()));
  std::iota(every.begin(), every.end(), 0);
  const auto sentences = static_cast<double>(data_.sentences());
  const ProductWork work = product_work(model_, pack(data_, every));
  const InferenceLimits limits = measure_limits(work);
  const double products = limits.seconds_of_products(work) / sentences,
               reading = work.weight_bytes / limits.bytes_per_second, many = sentences_per_second(32),
               one = 1 / sentences_per_second(1);
  Record rates;
  for (size_t kind = 0; kind < limits.flop_per_second.size(); ++kind)
    if (work.flop[kind] > 0) rates.set(ProductWork::names[kind], 1e-9 * limits.flop_per_second[kind]);
  if (common_.json)
    return print_json({{"bench", "infer"},
                       {"figures", "limits"},
                       {"product_gops", rates},
                       {"products_sentences_per_second", 1 / products},
                       {"sentences_per_second", many},
                       {"products_share", many * products},
                       {"weight_mb", 1e-6 * work.weight_bytes},
                       {"read_gb_per_second", 1e-9 * limits.bytes_per_second},
                       {"products_ms", 1e3 * products},
                       {"read_ms", 1e3 * reading},
                       {"one_by_one_ms", 1e3 * one},
                       {"one_by_one_distance", one / std::max(products, reading)}});
  std::printf("\nlimits measured here: hot products");
  for (const std::string& kind : rates.names()) std::printf(" %s %.0f GOP/s,", kind.c_str(), rates.number(kind, 0));
  std::printf(
      " reading the encoder's %.1f MB of weights %.1f GB/s\n"
      "32 sentences a batch: products alone would allow %.0f sentences/s, %.0f are answered: %.0f %%\n"
      "one by one, on average: products alone %.3f ms, reading the weights once %.3f ms; an answer takes %.3f ms, %.1f "
      "times the longer one\n",
      1e-6 * work.weight_bytes, 1e-9 * limits.bytes_per_second, 1 / products, many, 100 * many * products,
      1e3 * products, 1e3 * reading, 1e3 * one, one / std::max(products, reading));
}

void InferenceBench::print_start() const {
  const FirstAnswer start =
      median_first_answer(predict_command(o_.model.source, o_.precision, common_, o_.model.vocab), 5);
  const double ms = 1e3 * start.seconds, mb = 1e-6 * static_cast<double>(start.peak_memory);
  if (common_.json)
    print_json({{"bench", "infer"}, {"figures", "start"}, {"first_answer_ms", ms}, {"peak_memory_mb", mb}});
  else
    std::printf("\npredict, from its start to the first answer: %.1f ms (warm file cache); peak memory %.1f MB\n", ms,
                mb);
}

void print_model(const Model& model, const std::string& data, const ChosenPrecision& precision, double preparation,
                 const CommonOptions& common) {
  print_figures({{"bench", "infer"},
                 {"figures", "model"},
                 {"model", model.source},
                 {"data", data},
                 {"threads", threads()},
                 {"isa", kernels::current_isa()},
                 {"precision", name_of(precision.compute)},
                 {"products", precision.note},
                 {"int8_kernel", kernels::gemm_int8_kernel()},
                 {"cpu", kernels::cpu_description()},
                 {"model_preparation_time", preparation}},
                common);
}

}  // namespace

int bench_infer(const BenchOptions& o, const CommonOptions& common) {
  std::optional<Classifier> classifier;
  const double preparation = seconds_of([&] {
    classifier.emplace(o.model.open(common, true),
                       ClassifierOptions{.precision = o.precision, .max_length = o.max_length});
  });
  const Model& model = classifier->model();
  const DataFiles files = find_data(o.data);
  const TokenizedDataset data = read_text(files.dev.empty() ? files.train : files.dev, model.tokenizer,
                                          model.bert->head(), classifier->max_length());
  print_model(model, files.where, classifier->precision(), preparation, common);
  const bool answers = model.report.initialised.empty() || model.source.starts_with("random:");
  InferenceBench bench(*model.bert, data, o, common);
  for (const InferenceFigures figures : o.figures) {
    if (figures == InferenceFigures::throughput) bench.print_throughput();
    if (figures == InferenceFigures::requests) bench.print_requests();
    if (figures == InferenceFigures::limits) bench.print_limits();
    if (figures == InferenceFigures::start && answers) bench.print_start();
    if (figures == InferenceFigures::start && !answers)
      common.listener().say("start is left out: predict does not answer with a head that is not trained");
  }
  return 0;
}

}  // namespace espalier
