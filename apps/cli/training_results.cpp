// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/training_results.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "apps/cli/markdown_table.h"
#include "core/format.h"

namespace espalier {
namespace {

// The head's metric first, then the loss, then the others by name.
std::vector<std::string> metric_names(const TrainResult& result) {
  std::vector<std::string> names = {result.metric.name};
  if (names.front() != "loss") names.emplace_back("loss");
  for (const std::string& name : result.metrics.names())
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  return names;
}

std::string duration(double seconds) {
  if (seconds < 120) return format("%.1f s", seconds);
  return seconds < 7200 ? format("%.1f min", seconds / 60) : format("%.2f h", seconds / 3600);
}

struct Spread {
  double mean = 0, deviation = 0;
};

Spread spread_of(const std::vector<double>& values) {
  Spread s;
  for (const double v : values) s.mean += v / static_cast<double>(values.size());
  for (const double v : values) s.deviation += (v - s.mean) * (v - s.mean);
  s.deviation = values.size() < 2 ? 0 : std::sqrt(s.deviation / static_cast<double>(values.size() - 1));
  return s;
}

std::vector<double> values_of(const std::vector<SeedResult>& runs, const std::string& metric) {
  std::vector<double> values;
  values.reserve(runs.size() + 2);
  for (const SeedResult& run : runs) values.push_back(run.result.metrics.number(metric, std::nan("")));
  return values;
}

void print_options(const Record& options, const std::string& prefix = "") {
  for (const std::string& name : options.names()) {
    const Record value = options.at(name);
    if (value.is_object())
      print_options(value, prefix + name + ".");
    else if (const std::string text = value.text(); text != "[]" && text != "\"\"")
      std::printf("  --%s%s %s\n", prefix.c_str(), name.c_str(), text.c_str());
  }
}

}  // namespace

void print_result(const TrainResult& r, const CommonOptions& common) {
  if (common.json) {
    Record all = {{"output", r.output.string()}};
    for (const std::string& name : r.metrics.names()) all.set("eval_" + name, r.metrics.at(name));
    all.set("best_step", r.best_step);
    if (r.was_over)
      all.set("was_over", true);
    else
      all.update({{"steps", r.steps},
                  {"stopped_early", r.early},
                  {"train_runtime", r.training_seconds},
                  {"runtime", r.seconds},
                  {"train_samples_per_second", r.sentences_per_second},
                  {"train_steps_per_second", r.steps_per_second},
                  {"peak_memory", peak_memory()}});
    return print_json(all);
  }
  if (r.was_over) return;
  TableRows rows = {{"result", "value"}};
  for (const std::string& name : metric_names(r))
    rows.push_back({"dev " + name, format("%.4f", r.metrics.number(name, std::nan("")))});
  rows.insert(rows.end(),
              {{"best step", format("%ld of %ld", r.best_step, r.steps) + (r.early ? ", stopped early" : "")},
               {"run time", duration(r.seconds)},
               {"training alone", duration(r.training_seconds)},
               {"samples/s", format("%.1f", r.sentences_per_second)},
               {"steps/s", format("%.2f", r.steps_per_second)},
               {"peak memory", in_gigabytes(peak_memory())},
               {"checkpoint", r.output.string()}});
  std::printf("\n%s", markdown_table(rows).c_str());
}

void print_summary(const std::vector<SeedResult>& runs, const CommonOptions& common) {
  const SeedResult& best = *std::ranges::max_element(runs, [](const SeedResult& a, const SeedResult& b) {
    return a.result.metric.better(b.result.best, a.result.best);
  });
  std::vector<uint64_t> seeds;
  TableRows rows = {{"dev"}};
  std::vector<std::string> best_steps = {"best step"};
  for (const SeedResult& run : runs) {
    seeds.push_back(run.seed);
    rows.front().push_back("seed " + std::to_string(run.seed));
    best_steps.push_back(std::to_string(run.result.best_step));
  }
  rows.front().insert(rows.front().end(), {"mean", "standard deviation"});
  best_steps.resize(rows.front().size());
  Record summary = {{"best_output", best.result.output.string()}, {"best_seed", best.seed}, {"seeds", seeds}};
  for (const std::string& name : metric_names(best.result)) {
    std::vector<double> values = values_of(runs, name);
    const Spread spread = spread_of(values);
    summary.set("eval_" + name + "_mean", spread.mean);
    summary.set("eval_" + name + "_std", spread.deviation);
    values.insert(values.end(), {spread.mean, spread.deviation});
    rows.push_back({name});
    for (const double value : values) rows.back().push_back(format("%.4f", value));
  }
  rows.push_back(best_steps);
  if (common.json) return print_json(summary);
  std::printf("\n%s\nbest: %s (seed %lu)\n", markdown_table(rows).c_str(), best.result.output.c_str(), best.seed);
}

void print_forecast(const Forecast& f, const Options& rows, int64_t runs, const CommonOptions& common) {
  if (common.json)
    return print_json({{"options", rows.effective()},
                       {"groups", to_record(f.groups, f.learning_rate, f.weight_decay)},
                       {"train_sentences", f.train_sentences},
                       {"train_tokens", f.train_tokens},
                       {"dev_sentences", f.dev_sentences},
                       {"dev_tokens", f.dev_tokens},
                       {"runs", runs},
                       {"steps", f.steps},
                       {"evaluations", f.evaluations},
                       {"step_seconds", f.step_seconds},
                       {"evaluation_seconds", f.evaluation_seconds},
                       {"runtime", f.seconds() * static_cast<double>(runs)},
                       {"peak_memory", peak_memory()}});
  std::printf("options that decide the result:\n");
  print_options(rows.effective());
  std::printf("groups of parameters, with the peak rate:\n%s\n\n",
              describe(f.groups, f.learning_rate, f.weight_decay).c_str());
  const auto times = [](int64_t count, double seconds) { return format("%ld of %.3f s", count, seconds); };
  TableRows table = {{"to expect", "value"},
                     {"training", format("%ld sentences, %ld tokens", f.train_sentences, f.train_tokens)},
                     {"dev", format("%ld sentences, %ld tokens", f.dev_sentences, f.dev_tokens)},
                     {"start", duration(f.start_seconds)},
                     {"steps", times(f.steps, f.step_seconds)},
                     {"evaluations", times(f.evaluations, f.evaluation_seconds)}};
  if (runs > 1) table.push_back({"runs", std::to_string(runs)});
  table.push_back({"time, without writing files", duration(f.seconds() * static_cast<double>(runs))});
  table.push_back({"peak memory", in_gigabytes(peak_memory())});
  std::printf("%s\nno file was written\n", markdown_table(table).c_str());
}

}  // namespace espalier
