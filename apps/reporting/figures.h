// SPDX-License-Identifier: Apache-2.0
// What `report` knows of a model: plain numbers, measured by measurement.h, compared by comparison.h, and shown as a
// table, a page, Markdown and JSON.
#pragma once

#include <string>
#include <vector>

#include "apps/cli/first_answer.h"
#include "apps/reporting/statistics.h"
#include "compress/report.h"
#include "nn/heads/head.h"

namespace espalier {

// The weights of the linear layers of an encoder layer. Zeros are counted apart: those of a pruned layer would dwarf
// everything else.
struct WeightHistogram {
  std::string layer;  // "layer 0"
  double range = 0;   // the bins are equal parts of [-range, range]; the outer ones have what lies beyond, too
  std::vector<double> shares = {};  // by bin, of all weights
  double zeros = 0;                 // share
};

struct ModelFigures {
  std::string source;  // as it was given
  std::string name;    // the short one of the report, distinct

  // Quality
  Metrics metrics;  // by its head; the first value is the metric
  std::string metric, interval_method;
  Interval interval;              // 95 %, of the metric
  std::vector<double> resampled;  // the metric on samples of the sentences, which are the same for all models
  std::vector<std::string> classes;
  std::vector<Answer> answers;                    // by sentence; empty for a head whose logits belong to tokens
  std::vector<std::string> wanted;                // by sentence: the label, in the words of an answer
  std::vector<std::vector<float>> wanted_values;  // by sentence: Label::values

  // Speed, tokenizing left out
  double preparation = 0;              // seconds from the file to a model that answers
  std::vector<double> seconds_many;    // for all sentences at the batch size, by round, ascending
  std::vector<double> seconds_one;     // of each sentence alone, in every round, ascending
  int64_t sentences = 0, batches = 0;  // of a round
  FirstAnswer start;                   // of a process of `predict`: median time, median peak memory

  // Size
  int64_t bytes = 0;                        // of the file
  std::vector<PartReport> parts;            // for sentences of report_length tokens
  double work = 0, work_left = 0;           // operations a token; without the zeros that products leave out
  std::vector<WeightHistogram> histograms;  // one an encoder layer

  double quality() const { return metrics.best(); }
  double seconds() const;               // median
  double sentences_per_second() const;  // at the batch size
  double batches_per_second() const;
  double one_by_one_per_second() const;  // on average
};
using Models = std::vector<ModelFigures>;

constexpr int64_t report_length = 32;

// The runs that the metrics.jsonl of training tell of.
struct CurvePoint {
  double epoch = 0, value = 0;
};
struct TrainingCurves {
  std::string name;
  size_t colour = 0;                        // number of the model, or beyond them
  std::vector<CurvePoint> training = {};    // means of consecutive steps
  std::vector<CurvePoint> evaluation = {};  // on dev.tsv
};

// About the whole report.
struct ReportContext {
  std::string data;        // the file of sentences
  std::string about = {};  // machine, threads, rounds
  int64_t batch_size = 0;
  std::vector<std::string> sentences = {};  // in file order; a pair with " | " between
  std::vector<TrainingCurves> curves = {};
};

}  // namespace espalier
