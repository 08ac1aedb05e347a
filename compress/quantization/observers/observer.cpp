// SPDX-License-Identifier: Apache-2.0
#include "compress/quantization/observers/observer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "core/check.h"
#include "core/kernels/fake_quant.h"
#include "core/parallel.h"

namespace espalier {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr int64_t piece = 65536;  // elements a task

Range range_of(const Tensor& x) {
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
  Range all = {infinity, -infinity};
  for (const Range& r : parts) {
    CHECK(std::isfinite(r.least) && std::isfinite(r.most),
          "observer: the activations hold a NaN or an infinity; "
          "has the training diverged?");
    all = {std::min(all.least, r.least), std::max(all.most, r.most)};
  }
  return all;
}

// minmax and, with a weight below one, moving-average.
class Extremes : public Observer {
 public:
  explicit Extremes(bool moving) : moving_(moving) {}
  void observe(const Tensor& x) override {
    const Range now = range_of(x);
    float &least = seen_.data<float>()[0], &most = seen_.data<float>()[1];
    if (least > most) {
      least = now.least;
      most = now.most;
    } else if (moving_) {
      least += 0.01F * (now.least - least);
      most += 0.01F * (now.most - most);
    } else {
      least = std::min(least, now.least);
      most = std::max(most, now.most);
    }
  }
  Range range() const override { return {seen_.data<float>()[0], seen_.data<float>()[1]}; }
  void save(const Hdf5Group& group) const override { group.write("range", seen_); }
  void load(const Hdf5Group& group) override { group.read_into("range", seen_); }

 private:
  bool moving_;
  Tensor seen_ = Tensor::of<float>({2}, std::vector<float>{infinity, -infinity});
};

// Counts of equal bins over all that was seen. When the range grows, old bins move into the new ones in sixteenths.
class Histogram : public Observer {
 public:
  static constexpr int64_t bins = 2048;

  void observe(const Tensor& x) override {
    const Range now = range_of(x), before = range_;
    if (before.least > before.most) {
      range_ = now;
    } else {
      range_ = {std::min(before.least, now.least), std::max(before.most, now.most)};
      if (range_.least != before.least || range_.most != before.most) widen(before);
    }
    count(x);
  }

  void save(const Hdf5Group& group) const override {
    group.write("range", Tensor::of<float>({2}, std::vector<float>{range_.least, range_.most}));
    group.write("counts", counts_);
  }
  void load(const Hdf5Group& group) override {
    const Tensor range({2});
    group.read_into("range", range);
    range_ = {range.data<float>()[0], range.data<float>()[1]};
    group.read_into("counts", counts_);
  }

 protected:
  double width() const { return (static_cast<double>(range_.most) - static_cast<double>(range_.least)) / bins; }
  float edge(int64_t bin) const {
    return static_cast<float>(static_cast<double>(range_.least) + width() * static_cast<double>(bin));
  }
  std::span<const double> counts() const { return counts_.span<double>(); }
  Range range_ = {infinity, -infinity};

 private:
  int64_t bin_of(double v) const {
    if (width() == 0) return 0;
    return std::clamp(static_cast<int64_t>((v - static_cast<double>(range_.least)) / width()), int64_t{0}, bins - 1);
  }

  void widen(const Range& before) {
    constexpr int64_t parts = 16;
    const std::vector<double> old(counts().begin(), counts().end());
    const double step = (static_cast<double>(before.most) - static_cast<double>(before.least)) / (bins * parts);
    std::ranges::fill(counts_.span<double>(), 0.0);
    for (int64_t i = 0; i < bins * parts; ++i)
      counts_.data<double>()[bin_of(static_cast<double>(before.least) + (static_cast<double>(i) + 0.5) * step)] +=
          old[static_cast<size_t>(i / parts)] / parts;
  }

  // Whole numbers: their sums do not depend on the order.
  void count(const Tensor& x) {
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

  Tensor counts_ = Tensor::zeros({bins}, DType::f64);
};

class Percentile : public Histogram {
 public:
  Range range() const override {
    constexpr double left_out = 1e-4;
    if (range_.least > range_.most) return range_;
    const auto c = counts();
    const double total = std::accumulate(c.begin(), c.end(), 0.0);
    int64_t first = 0, last = bins - 1;
    for (double sum = c[0]; first < last && sum <= left_out * total; sum += c[static_cast<size_t>(first)]) ++first;
    for (double sum = c[bins - 1]; last > first && sum <= left_out * total; sum += c[static_cast<size_t>(last)]) --last;
    return {edge(first), edge(last + 1)};
  }
};

class LeastError : public Histogram {
 public:
  explicit LeastError(int bits) : points_(1 << bits) {}

  // From the whole range, the end that holds less of the mass moves inwards by a hundred-thousandth of it at a time, as
  // long as the error falls.
  Range range() const override {
    if (range_.least > range_.most) return range_;
    const auto c = counts();
    std::vector<double> sums(c.size());
    std::partial_sum(c.begin(), c.end(), sums.begin());
    const double total = sums.back();
    constexpr double step = 1e-5;
    double low = 0, high = 1, best = std::numeric_limits<double>::infinity();
    int64_t first = 0, last = bins - 1;
    while (low < high) {
      int64_t l = first, r = last;
      while (l < last && sums[static_cast<size_t>(l)] < (low + step) * total) ++l;
      while (r > first && sums[static_cast<size_t>(r)] > (high - step) * total) --r;
      int64_t next_first = first, next_last = last;
      if (l - first > last - r) {
        next_first = l;
        low += step;
      } else {
        next_last = r;
        high -= step;
      }
      if (next_first == first && next_last == last) continue;
      const double e = error(next_first, next_last);
      if (e > best) break;
      best = e;
      first = next_first;
      last = next_last;
    }
    return {edge(first), edge(last + 1)};
  }

 private:
  // Integral of the squared error when the bins first … last are covered by points_ integers; each bin's mass is spread
  // evenly over it.
  double error(int64_t first, int64_t last) const {
    const double bin = width(), cell = bin * static_cast<double>(last - first + 1) / points_;
    if (cell == 0) return 0;
    const auto cubes = [](double from, double to) { return (to * to * to - from * from * from) / 3; };
    double sum = 0;
    for (int64_t b = 0; b < bins; ++b) {
      const double begin = static_cast<double>(b - first) * bin, end = begin + bin;
      const auto cell_of = [&](double v) { return std::clamp(std::floor(v / cell), 0.0, points_ - 1.0); };
      const double from = cell_of(begin), to = cell_of(end);
      sum += counts()[static_cast<size_t>(b)] / bin *
             (cubes(begin - (from + 0.5) * cell, cell / 2) + (to - from - 1) * cubes(-cell / 2, cell / 2) +
              cubes(-cell / 2, end - (to + 0.5) * cell));
    }
    return sum;
  }

  double points_;
};

}  // namespace

std::unique_ptr<Observer> make_observer(const std::string& kind, int bits) {
  if (kind == "minmax" || kind == "moving-average") return std::make_unique<Extremes>(kind == "moving-average");
  if (kind == "percentile") return std::make_unique<Percentile>();
  CHECK(kind == "histogram", "observer '", kind, "': choose minmax, moving-average, percentile or histogram");
  return std::make_unique<LeastError>(bits);
}

}  // namespace espalier
