// SPDX-License-Identifier: Apache-2.0
// Integers in a file: what is written comes back, what is damaged is named.
#include "data/models/quantized_encoding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "core/check.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

// A weight s8[4, 4] as write_quantized stores it, but for one thing.
struct Parts {
  std::string encoding = "int8", shape = "4 4", bits = "8", products = "true";
  std::vector<int8_t> values = std::vector<int8_t>(16, 5);
  std::vector<float> scales = {1, 1, 1, 1}, input_grid = {0.5F, 3, 0, 255};
};

std::string error_for(const std::function<void(Parts&)>& damage) {
  const TemporaryFolder folder;
  Parts parts;
  damage(parts);
  {
    Hdf5File file = Hdf5File::create(folder / "m.h5", "m.h5");
    const Hdf5Group group = file.root().create_group("w");
    for (const auto& [key, text] : {std::pair{"encoding", parts.encoding},
                                    {"shape", parts.shape},
                                    {"bits", parts.bits},
                                    {"products", parts.products}})
      file.root().set_attribute("w", key, text);
    group.write("values", Tensor::of<int8_t>({std::ssize(parts.values)}, parts.values));
    group.write("scales", Tensor::of<float>({std::ssize(parts.scales)}, parts.scales));
    group.write("input_grid", Tensor::of<float>({std::ssize(parts.input_grid)}, parts.input_grid));
    file.close();
  }
  return error_of<Error>([&] { read_quantized(Hdf5File::open(folder / "m.h5").root(), "w"); });
}

TEST(QuantizedEncoding, WhatIsWrittenComesBack) {
  const TemporaryFolder folder;
  for (const int bits : {8, 4, 2})
    for (const bool sparse : {false, true}) {
      const int32_t high = (1 << (bits - 1)) - 1;
      Tensor q = Tensor::zeros({5, 7}, DType::s8);
      for (int64_t i = 0; i < q.size(); ++i)
        if (!sparse || i % 9 == 0) q.data<int8_t>()[i] = static_cast<int8_t>(i % (2 * high + 1) - high);
      const QuantGrid grid{Tensor::of<float>({5}, std::vector<float>{1, 2, 3, 4, 0.5F}), Tensor::zeros({5}, DType::i32),
                           -high, high};
      const QuantizedWeight weight(q, grid, bits, affine_grid(-1, 2, 8));
      {
        Hdf5File file = Hdf5File::create(folder / "m.h5", "m.h5");
        write_quantized(file.root(), "w", weight);
        file.close();
      }
      const auto again = read_quantized(Hdf5File::open(folder / "m.h5").root(), "w");
      EXPECT_TRUE(std::ranges::equal(again->q().span<int8_t>(), q.span<int8_t>())) << bits << sparse;
      EXPECT_TRUE(std::ranges::equal(again->grid().scale.span<float>(), grid.scale.span<float>()));
      EXPECT_EQ(again->bits(), bits);
      EXPECT_TRUE(again->products());
      EXPECT_EQ(*again->input()->scale.data<float>(), *weight.input()->scale.data<float>());
      EXPECT_EQ(*again->input()->zero_point.data<int32_t>(), *weight.input()->zero_point.data<int32_t>());
    }
}

TEST(QuantizedEncoding, DamageIsNamed) {
  EXPECT_EQ(error_for([](Parts&) {}), "no error");
  const auto expect = [](const std::function<void(Parts&)>& damage, const std::string& said) {
    expect_in(error_for(damage), said);
  };
  expect([](Parts& p) { p.products = "maybe"; }, "/w has products \"maybe\"; expected true or false");
  expect([](Parts& p) { p.bits = "9"; }, "/w has \"9\" bits; expected 2 to 8");
  expect([](Parts& p) { p.bits = "4"; }, "is encoded as int8 but has 4 bits");
  expect([](Parts& p) { p.values.pop_back(); }, "/w/values");
  expect([](Parts& p) { p.values[3] = -128; }, "/w/values holds -128; expected numbers from -127 to 127");
  expect([](Parts& p) { p.scales[1] = 0; }, "/w/scales holds 0; expected positive numbers");
  expect([](Parts& p) { p.scales[1] = std::nanf(""); }, "/w/scales holds nan");
  expect([](Parts& p) { p.scales.pop_back(); }, "/w/scales");
  expect([](Parts& p) { p.shape = "16"; }, "expected a matrix");
  expect([](Parts& p) { p.input_grid[0] = -1; }, "/w/input_grid is no grid of 8-bit integers: scale -1");
  expect([](Parts& p) { p.input_grid[1] = 256; }, "zero point 256");
  expect([](Parts& p) { p.input_grid[1] = 1.5F; }, "zero point 1.5");
  expect([](Parts& p) { p.input_grid.pop_back(); }, "/w/input_grid");
}

}  // namespace
}  // namespace espalier
