// SPDX-License-Identifier: Apache-2.0
// Whether probabilities are as high as the answers are right. Used by the heads.
#pragma once

#include <span>
#include <vector>

namespace espalier::metrics {

// The expected calibration error (Naeini et al. 2015; Guo et al. 2017, arXiv:1706.04599). An answer's confidence is the
// probability of the class that it chose. The confidences fall into 15 bins of equal width, each with its upper end;
// the error is the mean, over sentences, of how far their bin's mean confidence is from its share of right answers.
double calibration_error(std::span<const double> confidences, const std::vector<bool>& right);

}  // namespace espalier::metrics
