// SPDX-License-Identifier: Apache-2.0
#include "core/products/narrow_order.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>
#include <vector>

namespace espalier {
namespace {

using kernels::panel_columns;

constexpr int64_t lanes = 2 * panel_columns;  // halves of quads
constexpr int16_t limit = 128;                // 255 times this fits into 16 bits, with either sign
constexpr size_t most_open = 16;              // groups that wait for quads

// Sums of |w| of the weights of each sign that meet in a lane: first the positive, then the negative.
struct Weights {
  std::array<int16_t, 2 * lanes> sums = {};

  static Weights of(const uint32_t* quad) {
    const auto* const w = reinterpret_cast<const int8_t*>(quad);
    Weights result;
    for (int64_t i = 0; i < lanes; ++i) {
      const auto a = int16_t{w[2 * i]}, b = int16_t{w[2 * i + 1]};
      constexpr int16_t none = 0;
      result.sums[i] = static_cast<int16_t>(std::max(a, none) + std::max(b, none));
      result.sums[lanes + i] = static_cast<int16_t>(-std::min(a, none) - std::min(b, none));
    }
    return result;
  }
  bool fits_with(const Weights& other) const {
    int16_t most = 0;
    for (size_t i = 0; i < sums.size(); ++i) most = std::max(most, static_cast<int16_t>(sums[i] + other.sums[i]));
    return most <= limit;
  }
  void add(const Weights& other) {
    for (size_t i = 0; i < sums.size(); ++i) sums[i] = static_cast<int16_t>(sums[i] + other.sums[i]);
  }
};

struct Open {
  Weights weights;
  std::vector<int64_t> quads;
};

int32_t largest(int64_t quads, const uint32_t* panel) {
  const auto* const w = reinterpret_cast<const int8_t*>(panel);
  int32_t most = 0;
  for (int64_t i = 0; i < 4 * quads * panel_columns; ++i) most = std::max(most, std::abs(int32_t{w[i]}));
  return most;
}

// Each quad goes to the first open group that it fits into: first the groups that became full, then what is left. Empty
// where a quad does not fit alone.
std::vector<int64_t> first_fit(int64_t quads, const uint32_t* panel, int64_t group, int64_t& grouped) {
  std::vector<int64_t> order, left;
  std::vector<Open> open;
  for (int64_t q = 0; q < quads; ++q) {
    const Weights weights = Weights::of(panel + q * panel_columns);
    if (!weights.fits_with({})) return {};
    const auto place =
        std::find_if(open.begin(), open.end(), [&](const Open& o) { return o.weights.fits_with(weights); });
    if (place == open.end()) {
      if (open.size() == most_open) {
        left.insert(left.end(), open.front().quads.begin(), open.front().quads.end());
        open.erase(open.begin());
      }
      open.push_back({weights, {q}});
      continue;
    }
    place->weights.add(weights);
    place->quads.push_back(q);
    if (std::ssize(place->quads) < group) continue;
    order.insert(order.end(), place->quads.begin(), place->quads.end());
    open.erase(place);
  }
  grouped = std::ssize(order);
  for (const Open& o : open) left.insert(left.end(), o.quads.begin(), o.quads.end());
  std::sort(left.begin(), left.end());
  order.insert(order.end(), left.begin(), left.end());
  return order;
}

}  // namespace

kernels::NarrowSums order_for_narrow_sums(int64_t quads, uint32_t* panel, int32_t* index) {
  const int32_t most = largest(quads, panel);
  const int64_t group = most > 31 ? 2 : most > 15 ? 4 : 8;
  if (2 * group * most <= limit) return {group, quads / group * group};
  int64_t grouped = 0;
  const std::vector<int64_t> order = first_fit(quads, panel, group, grouped);
  if (order.empty()) return {};
  if (std::is_sorted(order.begin(), order.end())) return {group, grouped};
  const std::vector<uint32_t> old(panel, panel + quads * panel_columns);
  const std::vector<int32_t> old_index(index, index + quads);
  for (int64_t k = 0; k < quads; ++k) {
    std::copy_n(old.begin() + order[k] * panel_columns, panel_columns, panel + k * panel_columns);
    index[k] = old_index[order[k]];
  }
  return {group, grouped};
}

}  // namespace espalier
