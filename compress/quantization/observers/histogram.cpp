// SPDX-License-Identifier: Apache-2.0
#include "compress/quantization/observers/histogram.h"

#include <algorithm>
#include <vector>

#include "core/kernels/fake_quant.h"
#include "core/parallel.h"

namespace espalier {

void Histogram::observe(const Tensor& x) {
  const Range now = range_of(x), before = range_;
  if (before.least > before.most) {
    range_ = now;
  } else {
    range_ = {std::min(before.least, now.least), std::max(before.most, now.most)};
    if (range_.least != before.least || range_.most != before.most) widen(before);
  }
  count(x);
}

void Histogram::save(const Hdf5Group& group) const {
  group.write("range", Tensor::of<float>({2}, std::vector<float>{range_.least, range_.most}));
  group.write("counts", counts_);
}

void Histogram::load(const Hdf5Group& group) {
  const Tensor range({2});
  group.read_into("range", range);
  range_ = {range.data<float>()[0], range.data<float>()[1]};
  group.read_into("counts", counts_);
}

int64_t Histogram::bin_of(double v) const {
  if (width() == 0) return 0;
  return std::clamp(static_cast<int64_t>((v - static_cast<double>(range_.least)) / width()), int64_t{0}, bins - 1);
}

void Histogram::widen(const Range& before) {
  constexpr int64_t parts = 16;
  const std::vector<double> old(counts().begin(), counts().end());
  const double step = (static_cast<double>(before.most) - static_cast<double>(before.least)) / (bins * parts);
  std::ranges::fill(counts_.span<double>(), 0.0);
  for (int64_t i = 0; i < bins * parts; ++i)
    counts_.data<double>()[bin_of(static_cast<double>(before.least) + (static_cast<double>(i) + 0.5) * step)] +=
        old[static_cast<size_t>(i / parts)] / parts;
}

// Whole numbers: their sums do not depend on the order.
void Histogram::count(const Tensor& x) {
  constexpr int64_t piece = 65536;  // elements a task
  const int64_t n = x.size(), pieces = (n + piece - 1) / piece;
  std::vector<std::vector<int64_t>> found(static_cast<size_t>(pieces));
  parallel_for(pieces, [&](int64_t i) {
    auto& own = found[static_cast<size_t>(i)];
    own.assign(bins, 0);
    constexpr int64_t most = 4096;
    int32_t bin[most];
    const auto per_unit = static_cast<float>(width() > 0 ? 1 / width() : 0);
    for (int64_t at = i * piece; at < std::min(n, (i + 1) * piece); at += most) {
      const int64_t count = std::min({most, n - at, (i + 1) * piece - at});
      if (x.dtype() == DType::bf16)
        kernels::bins(count, x.data<Bf16>() + at, range_.least, per_unit, bins - 1, bin);
      else
        kernels::bins(count, x.data<float>() + at, range_.least, per_unit, bins - 1, bin);
      for (int64_t j = 0; j < count; ++j) ++own[static_cast<size_t>(bin[j])];
    }
  });
  for (const auto& own : found)
    for (size_t b = 0; b < own.size(); ++b) counts_.data<double>()[b] += static_cast<double>(own[b]);
}

}  // namespace espalier
