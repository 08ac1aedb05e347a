// SPDX-License-Identifier: Apache-2.0
// Several models on the same text, of the same metric: quality, size and speed of each, as a table and as a page with
// plots. Used by report.
#pragma once

#include <string>
#include <vector>

#include "core/record.h"

namespace espalier {

struct ComparedModel {
  std::string name, bits;             // bits: of its numbers, such as "8, 32"
  std::string metric = "accuracy";    // of its head
  double loss = 0, quality = 0;       // quality: by the metric; the largest is the best
  double preparation = 0;             // seconds from the file to a model
  double runtime = 0, batches = 0;    // seconds for all sentences, and batches a second, at the batch size
  double one = 0, many = 0;           // sentences a second, one at a time and at the batch size
  int64_t bytes = 0, parameters = 0;  // of the file; of the model
  double sparsity = 0, flop = 0;      // share of zeros; operations a token
};

Record to_json(const ComparedModel& model);
void print_comparison(const std::vector<ComparedModel>& models);

// A self-contained HTML page: the table, the metric over size and over speed with the Pareto front (models that
// no other one beats in both) as a line. `about` says on what machine and text.
std::string comparison_page(const std::vector<ComparedModel>& models, const std::string& about, int64_t batch_size);

// Indices of the models that no other one beats: none is as good in both and better in one. More is better.
std::vector<size_t> pareto_front(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace espalier
