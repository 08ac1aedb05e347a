// SPDX-License-Identifier: Apache-2.0
#include "compress/quantization/observers/histogram.h"

#include <algorithm>
#include <vector>

#include "core/kernels/fake_quant.h"
#include "core/parallel.h"

namespace espalier {

void Histogram::observe(const Tensor& x) {
  seen_.widen(both(seen_.range, range_of(x)));
  count(x);
}

Observed Histogram::take_observed() {
  Observed taken = {static_cast<double>(seen_.range.least), static_cast<double>(seen_.range.most)};
  taken.insert(taken.end(), seen_.counts.begin(), seen_.counts.end());
  seen_ = start_;
  return taken;
}

Histogram::Counted Histogram::counted(const Observed& numbers) {
  return {{static_cast<float>(numbers[0]), static_cast<float>(numbers[1])}, {numbers.begin() + 2, numbers.end()}};
}

// Of each lane but the first, only what it added to the state before the step.
void Histogram::absorb(std::span<const Observed> lanes) {
  seen_ = counted(lanes.front());
  for (const Observed& numbers : lanes.subspan(1)) {
    Counted lane = counted(numbers), before = start_;
    before.widen(lane.range);
    for (size_t b = 0; b < lane.counts.size(); ++b) lane.counts[b] -= before.counts[b];
    seen_.widen(both(seen_.range, lane.range));
    lane.widen(seen_.range);
    for (size_t b = 0; b < lane.counts.size(); ++b) seen_.counts[b] += lane.counts[b];
  }
  start_ = seen_;
}

void Histogram::save(const Hdf5Group& group) const {
  seen_.range.save(group);
  group.write("counts", Tensor::of<double>({bins}, seen_.counts));
}

void Histogram::load(const Hdf5Group& group) {
  const Tensor counts({bins}, DType::f64);
  group.read_into("counts", counts);
  const auto numbers = counts.span<double>();
  start_ = seen_ = {Range::load(group), {numbers.begin(), numbers.end()}};
}

int64_t Histogram::Counted::bin_of(double v) const {
  if (width() == 0) return 0;
  return std::clamp(static_cast<int64_t>((v - static_cast<double>(range.least)) / width()), int64_t{0}, bins - 1);
}

void Histogram::Counted::widen(const Range& to) {
  constexpr int64_t parts = 16;
  if (to == range) return;
  const Counted old = *this;
  range = to;
  if (old.range.least > old.range.most) return;
  const double step = old.width() / parts;
  std::ranges::fill(counts, 0.0);
  for (int64_t i = 0; i < bins * parts; ++i)
    counts[static_cast<size_t>(bin_of(static_cast<double>(old.range.least) + (static_cast<double>(i) + 0.5) * step))] +=
        old.counts[static_cast<size_t>(i / parts)] / parts;
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
        kernels::bins(count, x.data<Bf16>() + at, seen_.range.least, per_unit, bins - 1, bin);
      else
        kernels::bins(count, x.data<float>() + at, seen_.range.least, per_unit, bins - 1, bin);
      for (int64_t j = 0; j < count; ++j) ++own[static_cast<size_t>(bin[j])];
    }
  });
  for (const auto& own : found)
    for (size_t b = 0; b < own.size(); ++b) seen_.counts[b] += static_cast<double>(own[b]);
}

}  // namespace espalier
