// SPDX-License-Identifier: Apache-2.0
// Parts of `bench infer`: what the products of a model need and what this machine can do.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "nn/bert.h"

namespace espalier {

// Products of the encoder's linear layers for a batch, without the zeros that inference leaves out. Behind the last
// attention they are those of the rows that the head wants.
struct ProductWork {
  enum Kind { f32, bf16, int8 };
  static constexpr std::array<const char*, 3> names = {"f32", "bf16", "int8"};

  std::array<double, 3> flop = {};  // by Kind: multiplications and additions
  double weight_bytes = 0;          // that are read at least once
};
ProductWork product_work(const Bert& model, const PackedBatch& batch);

// What bounds inference: the rate of hot products, all threads, for the kinds that the work has (else 0), and the time
// of one pass that reads the weights' bytes, from the cache where they fit there.
struct InferenceLimits {
  std::array<double, 3> flop_per_second = {};
  double bytes_per_second = 0;

  double seconds_of_products(const ProductWork& work) const;
};
InferenceLimits measure_limits(const ProductWork& work);

}  // namespace espalier
