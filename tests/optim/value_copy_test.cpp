// SPDX-License-Identifier: Apache-2.0
// Who keeps a copy of a parameter's value hears of what the optimizer has updated.
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "nn/mask.h"
#include "optim/optimizer.h"
#include "tests/golden/golden.h"

namespace espalier {
namespace {

struct Doubled : WeightTransform {
  Var apply(const Var& w, const Context& /*context*/) override {
    const Tensor y = w.value.clone();
    for (float& v : y.span<float>()) v *= 2;
    return {y, w.tape, w.id};
  }
};

TEST(ValueCopy, HearsOfWholeStepsBehindTheMask) {
  constexpr int64_t out = 2005, in = 40;  // several pieces of an optimizer
  ParameterStore store;
  Parameter& w = store.add("w", {out, in}, Role::weight);
  store.allocate(3, 1);
  Tensor half = Mask::bits_of(w.shape, true).clone();
  for (uint8_t& byte : half.span<uint8_t>()) byte = 0x55;
  hold(w, half);
  std::mutex mutex;
  std::vector<float> copy(static_cast<size_t>(out * in), -1);
  int64_t pieces = 0;
  w.copy = {.step = 32 * in, .refresh = [&](int64_t first, int64_t count) {
              const std::lock_guard lock(mutex);
              EXPECT_EQ(first % (32 * in), 0);
              EXPECT_TRUE(count % (32 * in) == 0 || first + count == out * in);
              std::copy_n(w.value.data<float>() + first, count, copy.begin() + first);
              ++pieces;
            }};
  const auto same = [&] { return std::ranges::equal(copy, w.value.span<float>()); };
  w.updated();
  EXPECT_TRUE(same());
  Optimizer optimizer(store, {});
  w.grad.grad.copy_from(golden::uniform("g", 0, w.shape, 1, DType::f32));  // masked elements have a gradient here, too
  w.grad.written = true;
  optimizer.step(0.1);
  EXPECT_TRUE(same());
  for (int64_t i = 0; i < out * in; ++i) EXPECT_EQ(copy[static_cast<size_t>(i)] == 0, i % 2 == 1);
  const int64_t heard = pieces;
  w.transforms.push_back(std::make_shared<Doubled>());
  w.updated();
  EXPECT_EQ(pieces, heard) << "nobody reads the copy of a value that is transformed";
}

}  // namespace
}  // namespace espalier
