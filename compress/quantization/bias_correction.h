// SPDX-License-Identifier: Apache-2.0
// Bias correction (Nagel et al. 2019, arXiv:1906.04721): rounding weights moves the mean of a layer's outputs; the bias
// takes it back. Used by quantize --correct-biases.
#pragma once

#include "compress/input_statistics.h"

namespace espalier {

// b[o] -= sum_i (q[o, i] - w[o, i]) mean(x_i) for each linear layer of the encoder whose product reads integers q; w
// are the stored values, before they are replaced.
void correct_biases(const Bert& model, const InputStatistics& statistics);

}  // namespace espalier
