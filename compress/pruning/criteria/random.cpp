// SPDX-License-Identifier: Apache-2.0
// score = a uniform random number: the baseline that every other criterion must beat
#include "compress/pruning/criteria/criterion.h"
#include "core/hash.h"

namespace espalier {
namespace {

struct Random : Criterion {
  explicit Random(uint64_t s) : seed(s) {}
  std::string describe() const override { return "chance (seed " + std::to_string(seed) + ")"; }
  bool reads_gradients() const override { return false; }
  Tensor scores(const Parameter& p) const override {
    Rng rng(seed, fnv1a(p.name));  // the name's own numbers
    Tensor s(p.shape);
    for (float& v : s.span<float>()) v = static_cast<float>(rng.uniform());
    return s;
  }
  uint64_t seed;
};

}  // namespace

std::unique_ptr<Criterion> random_criterion(uint64_t seed) { return std::make_unique<Random>(seed); }

}  // namespace espalier
