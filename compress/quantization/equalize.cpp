// SPDX-License-Identifier: Apache-2.0
#include "compress/quantization/equalize.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace espalier {

void equalize(const Bert& model, const InputStatistics& statistics, double alpha) {
  CHECK(alpha >= 0 && alpha <= 1, "equalize: strength ", alpha, "; a share from 0 to 1 is expected");
  for (const EncoderLayer& layer : model.layers()) {
    const Tensor& out = layer.attention_output.weight.value;  // [H, W]
    const Tensor largest = statistics.largest(layer.attention_output.weight);
    const int64_t features = out.cols(), hidden = layer.value.weight.value.cols();
    for (int64_t i = 0; i < features; ++i) {
      double weight = 0;
      for (int64_t o = 0; o < out.rows(); ++o)
        weight = std::max(weight, std::abs(static_cast<double>(out.data<float>()[o * features + i])));
      const double input = largest.data<double>()[i];
      if (weight == 0 || input == 0) continue;  // nothing to balance
      const double s = std::pow(input, alpha) / std::pow(weight, 1 - alpha);
      for (int64_t o = 0; o < out.rows(); ++o) out.data<float>()[o * features + i] *= static_cast<float>(s);
      for (int64_t c = 0; c < hidden; ++c)
        layer.value.weight.value.data<float>()[i * hidden + c] /= static_cast<float>(s);
      layer.value.bias.value.data<float>()[i] /= static_cast<float>(s);
    }
  }
}

}  // namespace espalier
