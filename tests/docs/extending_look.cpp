// SPDX-License-Identifier: Apache-2.0
// extending_look FILE.h5: how many of the encoder's weights are zero, and how many different values a matrix has.
#include <algorithm>
#include <cstdio>
#include <set>

#include "data/models/model_source.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto model = espalier::open_model(argv[1]);
  int64_t zeros = 0, weights = 0, values = 0;
  for (const espalier::EncoderLayer& layer : std::as_const(*model->bert).layers())
    for (const espalier::Linear* linear : layer.linears()) {
      const auto w = linear->weight.value.span<float>();
      zeros += std::ranges::count(w, 0.0F);
      weights += std::ssize(w);
      values = std::max(values, std::ssize(std::set<float>(w.begin(), w.end())));
    }
  std::printf("zeros %.1f %%, at most %ld values in a matrix\n",
              100 * static_cast<double>(zeros) / static_cast<double>(weights), values);
  return 0;
}
