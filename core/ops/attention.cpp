// SPDX-License-Identifier: Apache-2.0
// y = softmax(Q K^T / sqrt D) V within each sentence and head. Formulas of the gradient: kernels/attention.cpp. One
// task is one head of one sentence.
#include <algorithm>

#include "core/kernels/attention.h"
#include "core/ops.h"
#include "core/ops/attention_scratch.h"
#include "core/parallel.h"
#include "core/profile.h"

namespace espalier::ops {
namespace {

struct Packing {
  std::vector<int32_t> offsets;
  int64_t heads, head_size, longest;
};

// The kernel's view of head `task % heads` of sentence `task / heads`; pointers of the backward pass are left empty.
template <class T, class X>
kernels::AttentionHead<T, X> head_of(const Packing& p, int64_t task, const Tensor& qkv, const Tensor& y,
                                     const Tensor& log_sum_exp, const Dropout& dropout) {
  const int64_t head = task % p.heads, width = p.heads * p.head_size;
  const int64_t first = p.offsets[static_cast<size_t>(task / p.heads)],
                length = p.offsets[static_cast<size_t>(task / p.heads) + 1] - first;
  const X* const q = qkv.data<X>() + first * 3 * width + head * p.head_size;
  kernels::AttentionHead<T, X> h;
  h.length = length;
  h.head_size = p.head_size;
  h.q = q;
  h.k = q + width;
  h.v = q + 2 * width;
  h.qkv_stride = 3 * width;
  h.out = y.data<X>() + first * width + head * p.head_size;
  h.out_stride = width;
  if (log_sum_exp) h.log_sum_exp = log_sum_exp.data<T>() + first * p.heads + head;
  h.lse_stride = p.heads;
  h.dropout = dropout;
  h.first_row = head * qkv.rows() + first;
  h.max_length = p.longest;
  return h;
}

void count_work(const Packing& p, int64_t products) {
  for (size_t b = 0; b + 1 < p.offsets.size(); ++b) {
    const int64_t length = p.offsets[b + 1] - p.offsets[b];
    work_count().flop += 2 * products * length * length * p.head_size * p.heads;
  }
}

template <class T, class X>
Var run(const Var& qkv, const Packing& p, const Dropout& dropout) {
  const int64_t rows = qkv.value.rows(), width = p.heads * p.head_size,
                tasks = (static_cast<int64_t>(p.offsets.size()) - 1) * p.heads;
  Tensor y({rows, width}, qkv.dtype()), log_sum_exp;
  if (qkv.tape != nullptr) log_sum_exp = Tensor({rows, p.heads}, dtype_of<T>());  // of the backward pass only
  count_work(p, 2);
  parallel_rows(tasks, 2, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      auto h = head_of<T, X>(p, task, qkv.value, y, log_sum_exp, dropout);
      h.scratch = attention_scratch_of<T>(h.length, h.head_size);
      kernels::attention_forward(h);
    }
  });
  return Tape::record(
      "attention", y, {&qkv},
      [qkv = qkv.value, y, log_sum_exp, p, dropout, tasks, width](const Tensor& gy, Tape::Slots& slots) {
        auto g = slots[0];
        if (!g) return;
        count_work(p, 5);
        parallel_rows(tasks, 2, [&](int64_t begin, int64_t end) {
          for (int64_t task = begin; task < end; ++task) {
            auto h = head_of<T, X>(p, task, qkv, y, log_sum_exp, dropout);
            h.scratch = attention_scratch_of<T>(h.length, h.head_size);
            h.g_out = gy.data<X>() + (h.out - y.data<X>());
            h.g_q = g.to.data<X>() + (h.q - qkv.data<X>());
            h.g_k = h.g_q + width;
            h.g_v = h.g_q + 2 * width;
            h.accumulate = g.accumulate;
            kernels::attention_backward(h);
          }
        });
      });
}

}  // namespace

Var attention(const Var& qkv, std::span<const int32_t> offsets, int64_t heads, const Dropout& dropout) {
  CHECK(heads > 0 && qkv.shape().rank() == 2 && qkv.value.cols() % (3 * heads) == 0, "attention: qkv", qkv.shape(),
        " does not hold queries, keys and values of ", heads, " heads");
  CHECK(!offsets.empty() && offsets.front() == 0 && offsets.back() == qkv.value.rows() &&
            std::is_sorted(offsets.begin(), offsets.end()),
        "attention: the offsets do not span qkv", qkv.shape());
  Packing p{{offsets.begin(), offsets.end()}, heads, qkv.value.cols() / (3 * heads), 0};
  for (size_t b = 0; b + 1 < offsets.size(); ++b) p.longest = std::max<int64_t>(p.longest, offsets[b + 1] - offsets[b]);
  if (qkv.dtype() == DType::f64) return run<double, double>(qkv, p, dropout);
  return qkv.dtype() == DType::bf16 ? run<float, Bf16>(qkv, p, dropout) : run<float, float>(qkv, p, dropout);
}

}  // namespace espalier::ops
