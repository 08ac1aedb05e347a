// SPDX-License-Identifier: Apache-2.0
// How two rows of numbers go together. Used by the heads. NaN where it is not defined: where one of the rows does not
// vary, or has a NaN.
#pragma once

#include <span>
#include <vector>

namespace espalier::metrics {

// 1 for the smallest; equal numbers share the mean of their ranks. Without NaN.
std::vector<double> ranks(std::span<const double> values);

double pearson(std::span<const double> a, std::span<const double> b);
double spearman(std::span<const double> a, std::span<const double> b);  // Pearson's of the ranks
// The share of the targets' variance that the predictions explain; below 0 where their mean would do better.
double r2(std::span<const double> predictions, std::span<const double> targets);

// The area under the ROC curve: how often a sentence with the label scores above one without it; equal scores count
// half. NaN unless there are both.
double roc_auc(std::span<const double> scores, const std::vector<bool>& labels);

// The mean of those that are not NaN; NaN where all are.
double mean_of_defined(std::span<const double> values);

}  // namespace espalier::metrics
