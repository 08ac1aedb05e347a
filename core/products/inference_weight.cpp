// SPDX-License-Identifier: Apache-2.0
#include "core/products/inference_weight.h"

#include <algorithm>
#include <bit>

#include "core/check.h"
#include "core/kernels/gemm_bf16_native.h"
#include "core/kernels/gemm_panel.h"
#include "core/parallel.h"
#include "core/profile.h"

namespace espalier {
namespace {

using kernels::panel_columns;

int64_t steps_of(const Tensor& w, DType compute) {
  return compute == DType::bf16 ? kernels::pairs_of(w.cols()) : w.cols();
}

// What a row has at a step: one f32, or a pair of bf16.
uint32_t value_at(const Tensor& w, int64_t row, int64_t step, DType compute) {
  const float* const from = w.data<float>() + row * w.cols();
  if (compute == DType::f32) return std::bit_cast<uint32_t>(from[step]);
  const uint32_t high = 2 * step + 1 < w.cols() ? Bf16(from[2 * step + 1]).bits : 0U;
  return high << 16 | Bf16(from[2 * step]).bits;
}

// How many steps are left out together or not at all.
int64_t group_of(DType compute) { return compute == DType::bf16 ? kernels::gemm_bf16_group() : 1; }

// The steps of the panel of rows `first` … in whose group anything is left; zeros may be negative.
std::vector<int32_t> steps_left(const Tensor& w, int64_t first, DType compute) {
  const uint32_t no_sign = compute == DType::bf16 ? 0x7fff7fffU : 0x7fffffffU;
  const int64_t end = std::min(w.rows(), first + panel_columns), steps = steps_of(w, compute),
                group = group_of(compute);
  std::vector<int32_t> left;
  for (int64_t step = 0; step < steps; step += group) {
    const int64_t last = std::min(steps, step + group);
    const auto any = [&](int64_t row) {
      for (int64_t s = step; s < last; ++s)
        if ((value_at(w, row, s, compute) & no_sign) != 0) return true;
      return false;
    };
    int64_t row = first;
    while (row < end && !any(row)) ++row;
    for (int64_t s = step; row < end && s < last; ++s) left.push_back(static_cast<int32_t>(s));
  }
  return left;
}

}  // namespace

InferenceWeight::InferenceWeight(const Tensor& w, DType compute)
    : compute_(compute), out_(w.rows()), group_(group_of(compute)), firsts_{0} {
  std::vector<std::vector<int32_t>> left(static_cast<size_t>(kernels::panels_of(out_)));
  const auto each_panel = [&](const auto& f) {
    parallel_for(std::ssize(left), [&](int64_t panel) { f(panel * panel_columns, panel, left[panel]); });
  };
  each_panel([&](int64_t row, int64_t, std::vector<int32_t>& steps) { steps = steps_left(w, row, compute); });
  for (const auto& steps : left) {
    index_.insert(index_.end(), steps.begin(), steps.end());
    firsts_.push_back(std::ssize(index_));
  }
  values_ = Tensor::zeros({std::ssize(index_), panel_columns}, DType::i32);
  each_panel([&](int64_t first, int64_t panel, const std::vector<int32_t>& steps) {
    int32_t* to = values_.data<int32_t>() + firsts_[panel] * panel_columns;
    for (const int32_t step : steps) {
      for (int64_t row = first; row < std::min(out_, first + panel_columns); ++row)
        to[row - first] = static_cast<int32_t>(value_at(w, row, step, compute));
      to += panel_columns;
    }
  });
}

double InferenceWeight::work_left(const Tensor& w, DType compute) {
  int64_t left = 0;
  for (int64_t row = 0; row < w.rows(); row += panel_columns) left += std::ssize(steps_left(w, row, compute));
  return static_cast<double>(left) / static_cast<double>(kernels::panels_of(w.rows()) * steps_of(w, compute));
}

void InferenceWeight::multiply(const Tensor& x, const Tensor& bias, const Tensor& y, int64_t first) const {
  CHECK(x.dtype() == compute_, "linear: a weight packed for ", name_of(compute_), " meets x of ", name_of(x.dtype()));
  constexpr int64_t most = 192;
  const int64_t rows = x.rows(), blocks = (rows + most - 1) / most, half = compute_ == DType::bf16 ? 2 : 1;
  work_count().flop += 2 * rows * values_.size() * half;
  parallel_for(blocks * (std::ssize(firsts_) - 1), [&](int64_t i) {
    const int64_t panel = i / blocks, row = i % blocks * most, column = panel * panel_columns;
    const int64_t begin = firsts_[panel], steps = firsts_[panel + 1] - begin, at = row * y.cols() + first + column;
    const int64_t m = std::min(most, rows - row), n = std::min(panel_columns, out_ - column), lda = x.cols() / half;
    const float* const b = bias.data<float>() + column;
    const std::byte* const a = x.raw() + row * lda * 4;
    const std::byte* const values = values_.raw() + begin * panel_columns * 4;
    const bool in_bf16 = y.dtype() == DType::bf16;
    if (compute_ == DType::bf16)
      kernels::gemm_bf16({.m = m,
                          .n = n,
                          .pairs = steps,
                          .a = reinterpret_cast<const uint32_t*>(a),
                          .a_row = lda,
                          .index = index_.data() + begin,
                          .group = group_,
                          .b = reinterpret_cast<const uint32_t*>(values),
                          .c = in_bf16 ? nullptr : y.data<float>() + at,
                          .c16 = in_bf16 ? y.data<Bf16>() + at : nullptr,
                          .ldc = y.cols(),
                          .bias = b});
    else
      kernels::gemm_panel({.m = m,
                           .n = n,
                           .k = steps,
                           .a = reinterpret_cast<const float*>(a),
                           .lda = lda,
                           .index = index_.data() + begin,
                           .b = reinterpret_cast<const float*>(values),
                           .c = y.data<float>() + at,
                           .ldc = y.cols(),
                           .bias = b});
  });
}

}  // namespace espalier
