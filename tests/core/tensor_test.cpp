// SPDX-License-Identifier: Apache-2.0
#include "core/tensor.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>

namespace espalier {
namespace {

std::string error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) { return e.what(); }
  return "";
}

TEST(Shape, counts_and_prints) {
  const Shape shape{4, 3, 2};
  EXPECT_EQ(shape.rank(), 3);
  EXPECT_EQ(shape.size(), 24);
  EXPECT_EQ(shape.rows(), 4);
  EXPECT_EQ(shape.cols(), 2);
  EXPECT_EQ((std::ostringstream() << shape << Shape{} << Shape{7}).str(), "[4, 3, 2][][7]");
  EXPECT_EQ(Shape{}.size(), 1);
  EXPECT_EQ((Shape{5, 0}.size()), 0);
  EXPECT_NE((Shape{2, 3}), (Shape{3, 2}));
  EXPECT_NE((Shape{2, 3}), (Shape{2, 3, 1}));
}

TEST(Shape, refuses_what_cannot_be) {
  EXPECT_EQ(error_of([] { Shape{1, 2, 3, 4, 5}; }), "shape: 5 dimensions, at most 4 are possible");
  EXPECT_EQ(error_of([] { Shape{1, -2}; }), "shape: dimension 1 is -2");
  constexpr int64_t huge = std::numeric_limits<int64_t>::max();
  EXPECT_NE(error_of([] { Shape{huge}; }), "");
  EXPECT_NE(error_of([] { Shape{int64_t{1} << 32, int64_t{1} << 32}; }), "");  // 2^64 wraps to zero
  EXPECT_NE(error_of([] { Shape{0, huge}; }), "");
  EXPECT_NE(error_of([] { Shape{huge, 0}; }), "");
  EXPECT_EQ((Shape{int64_t{1} << 24, int64_t{1} << 24}.size()), Shape::max_size);
}

TEST(Tensor, copies_and_views_share_and_clones_do_not) {
  const Tensor t = Tensor::of<float>({2, 3}, std::array{0.F, 1.F, 2.F, 3.F, 4.F, 5.F});
  EXPECT_TRUE(t.unique());
  const Tensor row = t.view(3, {3}), flat = t.reshaped({6}), clone = t.clone();
  Tensor copy;
  copy = t;
  EXPECT_FALSE(t.unique());
  EXPECT_TRUE(clone.unique());
  row.data<float>()[1] = 40;
  EXPECT_EQ(t.data<float>()[4], 40);
  EXPECT_EQ(copy.data<float>()[4], 40);
  EXPECT_EQ(flat.data<float>()[4], 40);
  EXPECT_EQ(clone.data<float>()[4], 4);
  const Tensor inner = row.view(1, {2});
  EXPECT_EQ(inner.data<float>()[0], 40);
  EXPECT_EQ(inner.data<float>(), t.data<float>() + 4);
}

TEST(Tensor, a_view_stays_inside) {
  const Tensor t = Tensor::zeros({2, 3});
  EXPECT_EQ(t.view(6, {0}).size(), 0);
  EXPECT_EQ(error_of([&] { (void)t.view(4, {3}); }), "tensor: a view of shape [3] from element 4 leaves shape [2, 3]");
  EXPECT_NE(error_of([&] { (void)t.view(-1, {1}); }), "");
  EXPECT_NE(error_of([&] { (void)t.view(std::numeric_limits<int64_t>::max(), {1}); }), "");
  EXPECT_NE(error_of([&] { (void)t.reshaped({7}); }), "");
  EXPECT_NE(error_of([&] { (void)t.view(1, {3}).view(0, {4}); }), "");  // not beyond the view itself
}

TEST(Tensor, elements_have_one_type) {
  const Tensor t = Tensor::zeros({2}, DType::i32);
  EXPECT_EQ(error_of([&] { (void)t.data<float>(); }), "tensor: i32 elements of shape [2] read as f32");
  EXPECT_EQ(error_of([&] { t.copy_from(Tensor::zeros({3}, DType::i32)); }), "tensor: copy of i32[3] to i32[2]");
  EXPECT_NE(error_of([&] { t.copy_from(Tensor::zeros({2}, DType::f32)); }), "");
  EXPECT_EQ(error_of([] { (void)Tensor::of<float>({3}, std::array{1.F, 2.F}); }), "tensor: 2 values for shape [3]");
  EXPECT_NE(error_of([&] { (void)t.to(DType::f32); }), "");
  EXPECT_EQ(t.bytes(), 8U);
  EXPECT_EQ(Tensor::zeros({3, 5}, DType::bf16).bytes(), 30U);
  EXPECT_EQ(Tensor::zeros({3}, DType::f64).bytes(), 24U);
  EXPECT_EQ(Tensor::zeros({3}, DType::u8).bytes(), 3U);
}

TEST(Tensor, an_empty_handle_is_false) {
  EXPECT_FALSE(Tensor());
  const Tensor none({0, 4});
  EXPECT_TRUE(none);
  EXPECT_EQ(none.clone().size(), 0);
}

TEST(Tensor, converts_between_float_types) {
  const Tensor wide = Tensor::of<double>({3}, std::array{1.0 + 0x1p-40, -3.14159265358979, 1e300});
  const Tensor single = wide.to(DType::f32), half = wide.to(DType::bf16);
  EXPECT_EQ(single.data<float>()[0], 1.0F);
  EXPECT_EQ(single.data<float>()[1], -3.14159265358979F);
  EXPECT_EQ(single.data<float>()[2], std::numeric_limits<float>::infinity());
  EXPECT_EQ(static_cast<float>(half.data<Bf16>()[1]), -3.140625F);
  EXPECT_EQ(half.to(DType::f64).data<double>()[1], -3.140625);
  EXPECT_EQ(single.to(DType::f32).raw(), single.raw());
}

TEST(Storage, is_aligned_and_wastes_at_most_an_eighth) {
  for (int64_t bytes = 1; bytes < 5'000'000; bytes += 1 + bytes / 3) {
    release_pool();
    const size_t before = storage_stats().live;
    const Tensor t({bytes}, DType::u8);
    const size_t taken = storage_stats().live - before;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(t.raw()) % 64, 0U) << bytes;
    EXPECT_GE(taken, static_cast<size_t>(bytes));
    EXPECT_LE(taken, static_cast<size_t>(bytes + bytes / 8 + 64)) << bytes;
  }
}

TEST(Storage, comes_back_from_the_pool) {
  release_pool();
  const StorageStats before = storage_stats();
  EXPECT_EQ(before.pooled, 0U);
  const std::byte* first = nullptr;
  {
    const Tensor t({1000});
    first = t.raw();
  }
  EXPECT_EQ(storage_stats().live, before.live);
  EXPECT_GE(storage_stats().pooled, 4000U);
  EXPECT_EQ(Tensor({1001}).raw(), first);  // nearly the same size
  release_pool();
  EXPECT_EQ(storage_stats().pooled, 0U);
}

TEST(Storage, remembers_the_peak) {
  release_pool();
  reset_storage_peak();
  const size_t before = storage_stats().peak;
  EXPECT_EQ(before, storage_stats().live);
  { const Tensor a({1'000'000}), b({1'000'000}); }
  EXPECT_GE(storage_stats().peak, before + 8'000'000);
  EXPECT_LT(storage_stats().peak, before + 9'100'000);
  reset_storage_peak();
  EXPECT_EQ(storage_stats().peak, storage_stats().live);
}

#ifndef __SANITIZE_ADDRESS__  // the sanitizer ends the process instead
TEST(Storage, a_refused_allocation_is_not_counted) {
  const size_t before = storage_stats().live;
  EXPECT_THROW(Tensor(Shape{Shape::max_size}, DType::f64), std::bad_alloc);
  EXPECT_EQ(storage_stats().live, before);
}
#endif

float round_trip(float v) { return static_cast<float>(Bf16(v)); }

TEST(Bf16, rounds_to_nearest_and_ties_to_even) {
  EXPECT_EQ(round_trip(1.0F), 1.0F);
  EXPECT_EQ(round_trip(1.0F + 0x1p-8F), 1.0F);                                 // a tie: down to the even 1
  EXPECT_EQ(round_trip(1.0F + 0x1p-7F + 0x1p-8F), 1.0F + 0x1p-6F);             // a tie: up to the even one
  EXPECT_EQ(round_trip(1.0F + 0x1p-8F + 0x1p-23F), 1.0F + 0x1p-7F);            // just above a tie
  EXPECT_EQ(round_trip(1.0F + 0x1p-7F + 0x1p-8F - 0x1p-23F), 1.0F + 0x1p-7F);  // just below
  EXPECT_EQ(round_trip(-1.0F - 0x1p-8F), -1.0F);
  EXPECT_TRUE(std::signbit(round_trip(-0.0F)));
}

TEST(Bf16, keeps_infinities_and_nans) {
  constexpr float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(round_trip(inf), inf);
  EXPECT_EQ(round_trip(-inf), -inf);
  EXPECT_EQ(round_trip(std::numeric_limits<float>::max()), inf);
  EXPECT_TRUE(std::isnan(round_trip(std::numeric_limits<float>::quiet_NaN())));
  for (const uint32_t bits : {0x7f800001U, 0xff800001U, 0x7fffffffU, 0x7f80ffffU})  // payload only in the lost bits
    EXPECT_TRUE(std::isnan(round_trip(std::bit_cast<float>(bits)))) << std::hex << bits;
  EXPECT_EQ(round_trip(0x1p-149F), 0.0F);
  EXPECT_EQ(round_trip(0x1p-133F), 0x1p-133F);  // the smallest subnormal
}

TEST(Bf16, every_value_survives_the_way_to_float_and_back) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    Bf16 v;
    v.bits = static_cast<uint16_t>(bits);
    const auto wide = static_cast<float>(v);
    ASSERT_TRUE(std::isnan(wide) || Bf16(wide).bits == v.bits) << std::hex << bits;
  }
}

TEST(Bf16, is_never_farther_than_the_neighbours) {
  for (uint32_t bits = 0x00800000; bits < 0x7f000000; bits += 0x1357) {  // normal numbers
    const auto v = std::bit_cast<float>(bits);
    const float near = round_trip(v);
    for (const int step : {-1, 1}) {
      Bf16 neighbour = Bf16(near);
      neighbour.bits = static_cast<uint16_t>(neighbour.bits + step);
      ASSERT_LE(std::abs(static_cast<double>(near) - v),
                std::abs(static_cast<double>(static_cast<float>(neighbour)) - v));
    }
  }
}

}  // namespace
}  // namespace espalier
