// SPDX-License-Identifier: Apache-2.0
#include "compress/observed.h"

namespace espalier {

Observed joined(std::span<const Observed> parts) {
  Observed all = {static_cast<double>(parts.size())};
  for (const Observed& part : parts) all.push_back(static_cast<double>(part.size()));
  for (const Observed& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::vector<Observed> split(std::span<const double>& all) {
  std::vector<Observed> parts(static_cast<size_t>(all[0]));
  std::span<const double> rest = all.subspan(1 + parts.size());
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto own = rest.first(static_cast<size_t>(all[1 + i]));
    parts[i].assign(own.begin(), own.end());
    rest = rest.subspan(own.size());
  }
  all = rest;
  return parts;
}

void for_parts(std::span<const Observed> lanes, const std::function<void(size_t, std::span<const Observed>)>& f) {
  std::vector<std::vector<Observed>> by_part;
  for (const Observed& lane : lanes) {
    std::span<const double> all = lane;
    std::vector<Observed> parts = split(all);
    by_part.resize(parts.size());
    for (size_t i = 0; i < parts.size(); ++i) by_part[i].push_back(std::move(parts[i]));
  }
  for (size_t i = 0; i < by_part.size(); ++i) f(i, by_part[i]);
}

void LaneSums::set(std::span<const double> values) {
  now_.assign(values.begin(), values.end());
  start_ = now_;
}

Observed LaneSums::take() {
  Observed taken = now_;
  now_ = start_;
  return taken;
}

void LaneSums::absorb(std::span<const Observed> lanes) {
  now_ = lanes.front();
  for (const Observed& lane : lanes.subspan(1))
    for (size_t i = 0; i < now_.size(); ++i) now_[i] += lane[i] - start_[i];
  start_ = now_;
}

}  // namespace espalier
