// SPDX-License-Identifier: Apache-2.0
#include "core/sparse_weight.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "core/kernels/gemm_bf16.h"
#include "core/parallel.h"

namespace espalier {
namespace {

using kernels::panel_columns;
using kernels::Run;

// What remains of a dense product's time grows with the steps that are left; above this share the dense one wins.
constexpr double most_left = 0.8;

int64_t inputs_a_step(DType compute) { return compute == DType::bf16 ? 2 : 1; }

// The steps of the panel of rows `first` … of w in which any weight is left.
std::vector<Run> runs_of(const Tensor& w, int64_t first, DType compute) {
  const int64_t in = w.cols(), width = inputs_a_step(compute), steps = (in + width - 1) / width;
  std::vector<uint8_t> left(static_cast<size_t>(steps), 0);
  int64_t count = 0;
  for (int64_t row = first; row < std::min(first + panel_columns, w.rows()) && count < steps; ++row) {
    const float* const values = w.data<float>() + row * in;
    for (int64_t k = 0; k < in; ++k) {
      uint8_t& step = left[static_cast<size_t>(k / width)];
      count += step == 0 && values[k] != 0;
      step |= values[k] != 0;
    }
  }
  const int64_t least = compute == DType::bf16 ? kernels::bf16_step() : 1;
  std::vector<Run> runs;
  for (int64_t step = 0; step < steps; step += least) {
    const int64_t end = std::min(steps, step + least);
    if (std::find(left.begin() + step, left.begin() + end, 1) == left.begin() + end) continue;
    if (runs.empty() || runs.back().end != step) runs.push_back({static_cast<int32_t>(step), 0});
    runs.back().end = static_cast<int32_t>(end);
  }
  return runs;
}

int64_t steps_of(std::span<const Run> runs) {
  int64_t steps = 0;
  for (const Run& run : runs) steps += run.end - run.begin;
  return steps;
}

// Writes the values of the panel of rows `first` …, run after run; `to` is zero.
void pack(const Tensor& w, int64_t first, std::span<const Run> runs, DType compute, uint32_t* to) {
  const int64_t in = w.cols(), rows = std::min(panel_columns, w.rows() - first);
  const float* const from = w.data<float>() + first * in;
  for (const Run& run : runs) {
    const int64_t begin = run.begin * inputs_a_step(compute), end = std::min(in, run.end * inputs_a_step(compute));
    if (compute == DType::bf16)
      kernels::pack_rows_bf16(rows, end - begin, from + begin, in, to);
    else
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t k = begin; k < end; ++k)
          to[(k - begin) * panel_columns + row] = std::bit_cast<uint32_t>(from[row * in + k]);
    to += (run.end - run.begin) * panel_columns;
  }
}

}  // namespace

SparseWeight::SparseWeight(const Tensor& w, DType compute)
    : out_(w.rows()), compute_(compute), runs_(static_cast<size_t>(kernels::panels_of(out_))), panels_(runs_.size()) {
  const auto each = [&](const auto& f) {
    parallel_for(std::ssize(panels_), [&](int64_t panel) { f(panel * panel_columns, static_cast<size_t>(panel)); });
  };
  each([&](int64_t row, size_t i) { runs_[i] = runs_of(w, row, compute); });
  std::vector<int64_t> firsts = {0};
  for (const auto& runs : runs_) firsts.push_back(firsts.back() + steps_of(runs) * panel_columns);
  values_ = Tensor::zeros({firsts.back()}, DType::i32);
  each([&](int64_t row, size_t i) {
    auto* const values = reinterpret_cast<uint32_t*>(values_.raw()) + firsts[i];
    pack(w, row, runs_[i], compute, values);
    panels_[i] = {values, runs_[i]};
  });
}

double SparseWeight::work_left(const Tensor& w, DType compute) {
  std::vector<int64_t> steps(static_cast<size_t>(kernels::panels_of(w.rows())));
  parallel_for(std::ssize(steps), [&](int64_t panel) {
    steps[static_cast<size_t>(panel)] = steps_of(runs_of(w, panel * panel_columns, compute));
  });
  const int64_t all = std::ssize(steps) * ((w.cols() + inputs_a_step(compute) - 1) / inputs_a_step(compute));
  const double left =
      static_cast<double>(std::accumulate(steps.begin(), steps.end(), int64_t{0})) / static_cast<double>(all);
  return left <= most_left ? left : 1;
}

std::shared_ptr<const SparseWeight> SparseWeight::where_faster(const Tensor& w, DType compute) {
  return work_left(w, compute) < 1 ? std::make_shared<const SparseWeight>(w, compute) : nullptr;
}

}  // namespace espalier
