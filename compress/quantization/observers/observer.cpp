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
    all = both(all, r);
  }
  return all;
}

Range both(const Range& a, const Range& b) { return {std::min(a.least, b.least), std::max(a.most, b.most)}; }

void Range::save(const Hdf5Group& group) const {
  group.write("range", Tensor::of<float>({2}, std::vector<float>{least, most}));
}

Range Range::load(const Hdf5Group& group) {
  const Tensor range({2});
  group.read_into("range", range);
  return {range.data<float>()[0], range.data<float>()[1]};
}

}  // namespace espalier
