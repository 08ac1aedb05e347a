// SPDX-License-Identifier: Apache-2.0
#include "compress/quantization/observers/observer.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/check.h"
#include "core/kernels/fake_quant.h"
#include "core/parallel.h"

namespace espalier {

Range range_of(const Tensor& x) {
  constexpr int64_t piece = 65536;  // elements a task
  const int64_t n = x.size(), pieces = (n + piece - 1) / piece;
  std::vector<Range> parts(static_cast<size_t>(pieces));
  parallel_for(pieces, [&](int64_t i) {
    Range& r = parts[static_cast<size_t>(i)];
    const int64_t first = i * piece, count = std::min(piece, n - first);
    if (x.dtype() == DType::bf16)
      kernels::range(count, x.data<Bf16>() + first, r.least, r.most);
    else
      kernels::range(count, x.data<float>() + first, r.least, r.most);
  });
  Range all = Range::nothing();
  for (const Range& r : parts) {
    CHECK(std::isfinite(r.least) && std::isfinite(r.most),
          "observer: the activations hold a NaN or an infinity; "
          "has the training diverged?");
    all = {std::min(all.least, r.least), std::max(all.most, r.most)};
  }
  return all;
}

}  // namespace espalier
