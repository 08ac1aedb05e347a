// SPDX-License-Identifier: Apache-2.0
// The bf16 products and their packing: every kernel against a plain loop over the rounded operands, in every shape of
// tail.
#include <gtest/gtest.h>

#include <cmath>

#include "core/kernels/amx_product.h"
#include "core/kernels/gemm_bf16_native.h"
#include "core/kernels/isa.h"
#include "core/products/gemm.h"
#include "core/products/packed_weight.h"
#include "tests/core/products/randn.h"

namespace espalier {
namespace {

float rounded(float v) { return static_cast<float>(Bf16(v)); }
const uint32_t* pairs(const Tensor& t) { return reinterpret_cast<const uint32_t*>(t.raw()); }

// x[m, k] w[n, k]^T + bias over rounded operands, in f64.
std::vector<double> reference(const Tensor& x, const Tensor& w, const Tensor& bias) {
  std::vector<double> y;
  for (int64_t i = 0; i < x.rows(); ++i)
    for (int64_t j = 0; j < w.rows(); ++j) {
      double sum = bias.data<float>()[j];
      for (int64_t p = 0; p < x.cols(); ++p)
        sum += static_cast<double>(rounded(x.data<float>()[i * x.cols() + p])) *
               rounded(w.data<float>()[j * w.cols() + p]);
      y.push_back(sum);
    }
  return y;
}

using Kernel = void (*)(const kernels::Bf16Product&);

void check_all_forms(Kernel kernel, int64_t m, int64_t n, int64_t k) {
  SCOPED_TRACE(testing::Message() << m << " x " << n << " x " << k);
  const Tensor x = randn({m, k}, 1), w = randn({n, k}, 2), bias = randn({n}, 3), start = randn({m, n}, 4);
  PackedWeight packed(n, k);
  packed.pack(w.data<float>());
  const Tensor rows = as_pairs(x);
  const std::vector<double> expected = reference(x, w, bias);
  for (const bool accumulate : {false, true})
    for (const bool in_bf16 : {false, true}) {
      const Tensor y = start.clone(), y16 = start.to(DType::bf16);
      kernels::Bf16Product g = {.m = m,
                                .n = n,
                                .pairs = kernels::pairs_of(k),
                                .a = pairs(rows),
                                .a_row = rows.cols() / 2,
                                .b = packed.forward(),
                                .c = y.data<float>(),
                                .ldc = n,
                                .accumulate = accumulate,
                                .bias = bias.data<float>()};
      if (in_bf16) g.c16 = y16.data<Bf16>();
      kernel(g);
      for (int64_t i = 0; i < m * n; ++i) {
        const double old = !accumulate ? 0
                           : in_bf16   ? static_cast<double>(rounded(start.data<float>()[i]))
                                       : start.data<float>()[i];
        const double found =
            in_bf16 ? static_cast<double>(static_cast<float>(y16.data<Bf16>()[i])) : y.data<float>()[i];
        const double sum = expected[static_cast<size_t>(i)] + old;
        ASSERT_NEAR(found, sum, in_bf16 ? std::fabs(sum) / 128 + 1e-3 : 2e-5 * static_cast<double>(k) + 1e-5)
            << "element " << i << " accumulate " << accumulate << " bf16 " << in_bf16;
      }
    }

  // A weight gradient: both operands contracted along rows, A in panels of 32 columns.
  const Tensor gy = randn({k, m}, 5), in = randn({k, n}, 6), packed_g = pack_activation(gy),
               packed_x = pack_activation(in), gw = Tensor::zeros({m, n});
  for (int64_t row = 0; row < m; row += 32)
    kernel({.m = std::min<int64_t>(32, m - row),
            .n = n,
            .pairs = kernels::pairs_of(k),
            .a = pairs(packed_g) + row * kernels::pairs_of(k),
            .a_row = 1,
            .a_pair = 32,
            .b = pairs(packed_x),
            .c = gw.data<float>() + row * n,
            .ldc = n});
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (int64_t t = 0; t < k; ++t)
        sum += static_cast<double>(rounded(gy.data<float>()[t * m + i])) * rounded(in.data<float>()[t * n + j]);
      ASSERT_NEAR(gw.data<float>()[i * n + j], sum, 2e-5 * static_cast<double>(k) + 1e-5) << i << ", " << j;
    }
}

void check_shapes(Kernel kernel) {
  for (const auto& [m, n, k] : {std::array<int64_t, 3>{1, 1, 2},
                                {1, 33, 3},
                                {12, 32, 32},
                                {13, 31, 34},
                                {16, 48, 64},
                                {17, 64, 66},
                                {25, 40, 70},
                                {33, 65, 31},
                                {47, 96, 130},
                                {70, 17, 96}})
    check_all_forms(kernel, m, n, k);
}

TEST(GemmBf16, the_emulation_of_each_instruction_set_agrees_with_a_plain_loop) {
  const auto isas = kernels::available_isas();
  for (size_t i = 0; i < isas.size(); ++i) {
    kernels::set_isa(isas[i]);
    SCOPED_TRACE(kernels::gemm_bf16_kernel());
    check_shapes([](const kernels::Bf16Product& g) { kernels::gemm_bf16(g); });
  }
  kernels::set_isa("");
}

TEST(GemmBf16, avx512_bf16_agrees_with_a_plain_loop) {
  if (!kernels::has_avx512_bf16()) GTEST_SKIP() << "this CPU has no AVX-512 BF16";
  check_shapes([](const kernels::Bf16Product& g) { kernels::gemm_bf16_avx512(g); });
}

TEST(GemmBf16, amx_agrees_with_a_plain_loop) {
  if (!kernels::has_amx_bf16()) GTEST_SKIP() << "this CPU has no AMX";
  ASSERT_TRUE(kernels::amx_works()) << "AMX is there but refused, or disagrees with its emulation";
  check_shapes([](const kernels::Bf16Product& g) { kernels::gemm_bf16_amx(g); });
}

TEST(GemmBf16, the_block_product_for_amx_agrees_with_a_plain_loop_on_emulated_tiles) {
  check_shapes([](const kernels::Bf16Product& g) {
    kernels::EmulatedTiles<kernels::Bf16Pairs> tiles;
    std::vector<uint32_t> scratch;
    const bool in_panels = g.a_pair != 1;
    const kernels::Bf16Product own = in_panels ? kernels::turned(g, scratch) : g;
    kernels::bf16_tiles(
        own, tiles, [&](auto... block) { kernels::store_block(own, block...); }, in_panels);
  });
}

TEST(GemmBf16, tiles_of_a_large_product_cover_it_once) {
  const Tensor x = randn({400, 64}, 1), w = randn({450, 64}, 2), bias = Tensor::zeros({450}), y({400, 450});
  PackedWeight packed(450, 64);
  packed.pack(w.data<float>());
  const Tensor rows = as_pairs(x);
  const kernels::Bf16Product g = {.m = 400,
                                  .n = 450,
                                  .pairs = 32,
                                  .a = pairs(rows),
                                  .a_row = 32,
                                  .b = packed.forward(),
                                  .c = y.data<float>(),
                                  .ldc = 450};
  gemm(std::span<const kernels::Bf16Product>(&g, 1));
  const std::vector<double> expected = reference(x, w, bias);
  for (int64_t i = 0; i < y.size(); ++i) ASSERT_NEAR(y.data<float>()[i], expected[static_cast<size_t>(i)], 2e-3);
}

TEST(PackedWeight, rows_packed_piece_by_piece_equal_a_whole_packing) {
  const Tensor w = randn({70, 37}, 1);
  PackedWeight whole(70, 37), pieces(70, 37);
  whole.pack(w.data<float>());
  for (int64_t row = 0; row < 70; row += 32) pieces.pack_rows(w.data<float>(), row, std::min<int64_t>(70, row + 32));
  EXPECT_TRUE(std::equal(whole.forward(), whole.forward() + 3 * 19 * 32, pieces.forward()));
  EXPECT_TRUE(std::equal(whole.backward(), whole.backward() + 2 * 35 * 32, pieces.backward()));
}

}  // namespace
}  // namespace espalier
