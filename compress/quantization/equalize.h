// SPDX-License-Identifier: Apache-2.0
// Equalisation before quantization: ranges of activations and of weights are balanced feature by feature, as in
// SmoothQuant (Xiao et al. 2022, arXiv:2211.10438). Used by quantize --equalize.
#pragma once

#include "compress/input_statistics.h"

namespace espalier {

// Feature i of the attention output layer's input is divided by s_i = max|x_i|^alpha / max_o|w_oi|^(1 - alpha), and its
// weights are multiplied by it. The division is done by the value layer, whose output the feature is a weighted mean
// of: the model's answers stay what they were, up to rounding. BERT has no other such place: behind its layer norms the
// residual reads the same numbers, and GELU is not linear. alpha from 0 to 1.
void equalize(const Bert& model, const InputStatistics& statistics, double alpha);

}  // namespace espalier
