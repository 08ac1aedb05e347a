// SPDX-License-Identifier: Apache-2.0
// How good a model is on labelled text: metrics by name, and a report by class. Made by heads, read by training and by
// what prints.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace espalier {

// A metric that may decide which checkpoint of a run is the best.
struct Metric {
  std::string name;
  bool lower_is_better = false;

  // NaN, the value of a metric that is not defined, is never better; every number is better than NaN.
  bool better(double value, double than) const;
};

struct Metrics {
  struct Value {
    std::string name;
    double value = 0;
  };
  double loss = 0;            // the plain loss of the task, the mean over what is labelled
  std::vector<Value> values;  // the first one is Head::metric(); those that are not defined are left out

  double best() const { return values.front().value; }
  double at(const std::string& name) const;         // "loss", too; NaN for what is not there
  void add(const std::string& name, double value);  // unless it is NaN
};

// Quality by class, or by number for regression. NaN: not defined for these labels and answers.
struct ClassReport {
  struct Row {
    std::string name;
    std::vector<double> values;  // one for each column
  };
  std::vector<std::string> columns = {};             // precision, recall, f1, support: the last one counts sentences
  std::vector<Row> classes = {};                     // one for each of Head::labels()
  std::vector<Row> averages = {};                    // over the classes
  std::vector<std::vector<int64_t>> confusion = {};  // [label][answer]; empty where a sentence has not one class
};

}  // namespace espalier
