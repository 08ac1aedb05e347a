// SPDX-License-Identifier: Apache-2.0
#include "apps/reporting/measurement.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "apps/cli/part_table.h"
#include "apps/training/timing.h"
#include "core/format.h"
#include "data/text/read_text.h"

namespace espalier {
namespace {

constexpr int resamples = 1000;

// The rows of scores[N, K] in the given order.
Tensor rows_of(const Tensor& scores, std::span<const int64_t> rows) {
  Tensor chosen({std::ssize(rows), scores.cols()}, DType::f64);
  for (size_t i = 0; i < rows.size(); ++i)
    std::ranges::copy(
        scores.span<double>().subspan(static_cast<size_t>(rows[i] * scores.cols()), static_cast<size_t>(scores.cols())),
        chosen.data<double>() + static_cast<int64_t>(i) * scores.cols());
  return chosen;
}

// The label of a sentence as an answer of the same kind would say it.
std::string label_text(const TokenizedDataset& data, int64_t i, const Answer& like,
                       const std::vector<std::string>& classes) {
  const int32_t number = data.labels[static_cast<size_t>(i)];
  const int64_t width = data.values_per_sentence();
  if (number < 0) return "";
  if (width == 0) return classes.at(static_cast<size_t>(number));
  std::vector<std::string> words;
  for (int64_t c = 0; c < width; ++c) {
    const double value = data.values[static_cast<size_t>(i * width + c)];
    if (!like.chosen)
      words.push_back(format("%.4f", value));
    else if (value > 0)
      words.push_back(classes[static_cast<size_t>(c)]);
  }
  return listed(words);
}

void add_answers(ModelFigures& m, const Head& head, const Evaluation& evaluation, const TokenizedDataset& text) {
  const int64_t width = head.width();
  Tensor logits({1, std::max<int64_t>(1, width)}, DType::f32);
  for (int64_t i = 0; width > 0 && i < text.sentences(); ++i) {
    std::copy_n(evaluation.logits.begin() + i * width, width, logits.data<float>());
    m.answers.push_back(head.answer(logits));
    m.wanted.push_back(label_text(text, i, m.answers.back(), head.labels()));
    const auto first = text.values.begin() + i * text.values_per_sentence();
    m.wanted_values.emplace_back(first, first + text.values_per_sentence());
  }
}

void add_quality(ModelFigures& m, const Head& head, const Evaluation& evaluation, uint64_t seed) {
  m.metrics = evaluation.metrics;
  m.classes = head.labels();
  const int64_t sentences = evaluation.sentences;
  m.resampled = bootstrap(sentences, resamples, seed, [&](std::span<const int64_t> rows) {
    return head.metrics(rows_of(evaluation.scores, rows)).best();
  });
  int64_t right = 0;
  for (size_t i = 0; i < m.answers.size(); ++i) right += m.answers[i].label == m.wanted[i] ? 1 : 0;
  const bool share = m.metric == "accuracy" && std::llround(m.quality() * static_cast<double>(sentences)) == right;
  m.interval = share ? wilson_interval(right, sentences) : percentile_interval(m.resampled);
  m.interval_method = share ? "Wilson" : format("bootstrap, %d resamples", resamples);
}

// Each sentence alone, in file order; the first ones warm up.
void add_one_by_one(std::vector<double>& seconds, const Bert& model, const TokenizedDataset& text) {
  const auto answer = [&](int64_t i) {
    const PackedBatch batch = pack(text, std::span(&i, 1));
    return seconds_of([&] {
      Context context;
      model(batch, context);
    });
  };
  for (int64_t i = 0; i < std::min<int64_t>(3, text.sentences()); ++i) answer(i);
  for (int64_t i = 0; i < text.sentences(); ++i) seconds.push_back(answer(i));
}

std::vector<WeightHistogram> histograms_of(const Bert& model) {
  constexpr int64_t bins = 41;  // one of them around zero
  double squares = 0;
  int64_t count = 0;
  for (const EncoderLayer& layer : model.layers())
    for (const Linear* linear : layer.linears())
      for (const float w : linear->weight.value.span<float>())
        if (w != 0) squares += static_cast<double>(w) * static_cast<double>(w), ++count;
  const double range = 4 * std::sqrt(squares / static_cast<double>(std::max<int64_t>(1, count))) + 1e-9;
  std::vector<WeightHistogram> histograms;
  for (const EncoderLayer& layer : model.layers()) {
    std::vector<int64_t> counts(bins);
    int64_t zeros = 0, all = 0;
    for (const Linear* linear : layer.linears())
      for (const float w : linear->weight.value.span<float>()) {
        const double place = (static_cast<double>(w) / range + 1) / 2 * static_cast<double>(bins);
        ++(w == 0 ? zeros : counts[static_cast<size_t>(std::clamp(place, 0.0, static_cast<double>(bins - 1)))]);
        ++all;
      }
    const auto share = [&](int64_t part) { return static_cast<double>(part) / static_cast<double>(all); };
    WeightHistogram h{.layer = "layer " + std::to_string(histograms.size()), .range = range, .zeros = share(zeros)};
    for (const int64_t n : counts) h.shares.push_back(share(n));
    histograms.push_back(h);
  }
  return histograms;
}

// Once more with all values, which inference does without.
void add_size(ModelFigures& m, DType compute, const OpenOptions& open) {
  const auto model = open_model(m.source, open);
  m.bytes = size_of_model(m.source);
  m.parts = report_of(*model, report_length);
  const PartReport total = sum_of(m.parts);
  m.work = total.flop;
  m.work_left = total.work(compute);
  m.histograms = histograms_of(*model->bert);
}

}  // namespace

Measurement::Measurement(const std::string& source, const std::string& name, const MeasureOptions& options,
                         const CommonOptions& common)
    : options_(options), common_(common) {
  figures_.source = source;
  figures_.name = name;
  figures_.preparation = seconds_of([&] {
    OpenOptions open{.seed = common.seed, .listener = common.listener()};
    open.for_inference = true;
    classifier_.emplace(open_model(source, open),
                        ClassifierOptions{.precision = options.precision, .max_length = options.max_length});
  });
  const Model& model = classifier_->model();
  if (!model.report.initialised.empty()) common.listener().say(source + ": " + model.report.text());
  figures_.metric = model.bert->head().metric();
  text_ =
      read_text(options.data, model.tokenizer, model.bert->head(), classifier_->max_length(), {.table = options.table});
  figures_.sentences = text_.sentences();
}

void Measurement::round() {
  const Bert& model = *classifier_->model().bert;
  evaluation_ = evaluate(model, text_, options_.batch_size);
  figures_.seconds_many.push_back(evaluation_.seconds);
  add_one_by_one(figures_.seconds_one, model, text_);
}

ModelFigures Measurement::finish() {
  ModelFigures m = std::move(figures_);
  const Head& head = classifier_->model().bert->head();
  const DType compute = classifier_->precision().compute;
  m.batches = evaluation_.batches;
  std::ranges::sort(m.seconds_many);
  std::ranges::sort(m.seconds_one);
  add_answers(m, head, evaluation_, text_);
  add_quality(m, head, evaluation_, common_.seed);
  classifier_.reset();
  m.start = median_first_answer(predict_command(m.source, options_.precision, common_), options_.rounds);
  add_size(m, compute, {.seed = common_.seed, .listener = common_.listener()});
  return m;
}

}  // namespace espalier
