// SPDX-License-Identifier: Apache-2.0
#include "core/products/inference_weight.h"

#include <algorithm>
#include <optional>

#include "core/check.h"
#include "core/kernels/gemm_bf16.h"
#include "core/kernels/gemm_panel.h"
#include "core/parallel.h"
#include "core/profile.h"

namespace espalier {
namespace {

using kernels::panel_columns;

// How many steps are left out together or not at all.
int64_t group_of(DType compute) { return compute == DType::bf16 ? kernels::gemm_bf16_group() : 1; }

// One panel, rows first … first + 32 of w, without the steps in whose group all is zero. A step has 32 bits of each
// row: one f32, or a pair of bf16.
struct Panel {
  Panel(const Tensor& w, int64_t first, DType compute);

  int64_t all = 0;               // steps, before some were left out
  std::vector<int32_t> steps;    // those that are left
  std::vector<uint32_t> values;  // [steps, 32]
};

Panel::Panel(const Tensor& w, int64_t first, DType compute)
    : all(compute == DType::bf16 ? kernels::pairs_of(w.cols()) : w.cols()),
      values(static_cast<size_t>(all * panel_columns)) {
  const int64_t rows = std::min(panel_columns, w.rows() - first), in = w.cols();
  const float* const from = w.data<float>() + first * in;
  if (compute == DType::bf16)
    kernels::pack_rows_bf16(rows, in, from, in, values.data());
  else
    kernels::transpose_pairs(rows, in, reinterpret_cast<const uint32_t*>(from), in, values.data(), panel_columns);

  const uint32_t no_sign = compute == DType::bf16 ? 0x7fff7fffU : 0x7fffffffU;  // zeros may be negative
  const auto at = [&](int64_t step) { return values.begin() + step * panel_columns; };
  auto end = values.begin();
  for (int64_t step = 0, group = group_of(compute); step < all; step += group) {
    const int64_t last = std::min(all, step + group);
    if (std::none_of(at(step), at(last), [&](uint32_t v) { return (v & no_sign) != 0; })) continue;
    end = end == at(step) ? at(last) : std::copy(at(step), at(last), end);
    for (int64_t s = step; s < last; ++s) steps.push_back(static_cast<int32_t>(s));
  }
  values.erase(end, values.end());
}

}  // namespace

InferenceWeight::InferenceWeight(const Tensor& w, DType compute)
    : compute_(compute),
      out_(w.rows()),
      all_(compute == DType::bf16 ? kernels::pairs_of(w.cols()) : w.cols()),
      group_(group_of(compute)),
      firsts_{0} {
  std::vector<std::optional<Panel>> panels(static_cast<size_t>(kernels::panels_of(out_)));
  parallel_for(std::ssize(panels), [&](int64_t i) { panels[i].emplace(w, i * panel_columns, compute); });
  for (const auto& panel : panels) {
    index_.insert(index_.end(), panel->steps.begin(), panel->steps.end());
    firsts_.push_back(std::ssize(index_));
  }
  values_ = Tensor({std::ssize(index_), panel_columns}, DType::i32);
  parallel_for(std::ssize(panels), [&](int64_t i) {
    std::copy(panels[i]->values.begin(), panels[i]->values.end(), values_.data<int32_t>() + firsts_[i] * panel_columns);
  });
}

double InferenceWeight::work_left(const Tensor& w, DType compute) {
  int64_t left = 0, all = 0;
  for (int64_t row = 0; row < w.rows(); row += panel_columns) {
    const Panel panel(w, row, compute);
    left += std::ssize(panel.steps);
    all += panel.all;
  }
  return static_cast<double>(left) / static_cast<double>(all);
}

void InferenceWeight::multiply(const Tensor& x, const Tensor& bias, const Tensor& y, int64_t first) const {
  CHECK(x.dtype() == compute_, "linear: a weight packed for ", name_of(compute_), " meets x of ", name_of(x.dtype()));
  constexpr int64_t most = 192;
  const int64_t rows = x.rows(), half = compute_ == DType::bf16 ? 2 : 1;
  work_count().flop += 2 * rows * values_.size() * half;
  parallel_blocks(rows, most, out_, panel_columns, [&](int64_t row, int64_t m, int64_t column, int64_t /*n*/) {
    const int64_t at = row * y.cols() + first + column;
    const bool in_bf16 = y.dtype() == DType::bf16;
    multiply(column / panel_columns, bias.data<float>(),
             {.rows = m,
              .x = x.raw() + row * x.cols() * static_cast<int64_t>(size_of(compute_)),
              .stride = x.cols(),
              .y = in_bf16 ? nullptr : y.data<float>() + at,
              .y16 = in_bf16 ? y.data<Bf16>() + at : nullptr,
              .ldy = y.cols()});
  });
}

void InferenceWeight::multiply(int64_t i, const float* bias, const Rows& r) const noexcept {
  const int64_t begin = firsts_[i], steps = firsts_[i + 1] - begin, column = i * panel_columns,
                n = std::min(panel_columns, out_ - column);
  const std::byte* const values = values_.raw() + begin * panel_columns * 4;
  const int32_t* const index = steps == all_ ? nullptr : index_.data() + begin;
  if (compute_ == DType::bf16)
    kernels::gemm_bf16({.m = r.rows,
                        .n = n,
                        .pairs = steps,
                        .a = reinterpret_cast<const uint32_t*>(r.x),
                        .a_row = r.stride / 2,
                        .index = index,
                        .group = group_,
                        .b = reinterpret_cast<const uint32_t*>(values),
                        .c = r.y,
                        .c16 = r.y16,
                        .ldc = r.ldy,
                        .bias = bias + column});
  else
    kernels::gemm_panel({.m = r.rows,
                         .n = n,
                         .k = steps,
                         .a = reinterpret_cast<const float*>(r.x),
                         .lda = r.stride,
                         .index = index,
                         .b = reinterpret_cast<const float*>(values),
                         .c = r.y,
                         .ldc = r.ldy,
                         .bias = bias + column});
}

}  // namespace espalier
