// SPDX-License-Identifier: Apache-2.0
#include "nn/engine/engine_layer.h"

#include <algorithm>

#include "core/kernels/attention.h"
#include "core/kernels/layer_norm.h"
#include "core/ops/attention_scratch.h"
#include "core/parallel.h"

namespace espalier {
namespace {

template <class X>
void attend_head(int64_t first, int64_t length, int64_t queries, int64_t head, int64_t heads, int64_t head_size,
                 const Rows& qkv, const Rows& to) {
  const int64_t width = heads * head_size;
  kernels::AttentionHead<float, X> h;
  h.length = length;
  h.queries = queries;
  h.head_size = head_size;
  h.q = qkv.at<X>(first, head * head_size);
  h.k = h.q + width;
  h.v = h.q + 2 * width;
  h.qkv_stride = qkv.stride;
  h.out = to.at<X>(first, head * head_size);
  h.out_stride = to.stride;
  h.max_length = length;
  h.scratch = ops::attention_scratch_of<float>(length, head_size);
  kernels::attention_forward(h);
}

// The chosen rows of x, in `buffer`.
Rows gathered(const Rows& x, std::span<const int32_t> rows, Workspace& space, Workspace::Buffer buffer) {
  const Rows to = space.rows(buffer, std::ssize(rows), x.cols, x.type);
  const auto bytes = static_cast<int64_t>(size_of(x.type));
  for (int64_t r = 0; r < to.rows; ++r)
    std::copy_n(x.data + rows[static_cast<size_t>(r)] * x.stride * bytes, x.cols * bytes,
                to.data + r * to.stride * bytes);
  return to;
}

}  // namespace

EngineLayer::EngineLayer(const LayerWeights& l, const EngineWeights& all)
    : heads_(l.heads),
      head_size_(all.head_size),
      eps_(all.eps),
      activation_(all.activation),
      qkv_({l.query, l.key, l.value}, all.compute),
      attention_output_({l.attention_output}, all.compute),
      intermediate_({l.intermediate}, all.compute),
      output_({l.output}, all.compute),
      attention_norm_(l.attention_norm),
      output_norm_(l.output_norm) {}

Rows EngineLayer::operator()(const SentenceGroup& group, const Rows& x, const Rows& input, const EngineLayer* next,
                             const Rows& out, Workspace& space) const {
  const bool chosen = next == nullptr && !group.chosen.empty();
  const Rows qkv = space.rows(Workspace::qkv, x.rows, qkv_.out(), qkv_.writes());
  qkv_.multiply(input, qkv);
  Rows attended = space.rows(Workspace::attended, x.rows, heads_ * head_size_, qkv.type);
  attend(group, chosen && group.first_tokens, qkv, attended);
  Rows residual = x;
  if (chosen) {
    attended = gathered(attended, group.chosen, space, Workspace::chosen);
    residual = gathered(x, group.chosen, space, Workspace::residual);
  }
  const int64_t rows = residual.rows;
  const Rows result = space.rows(Workspace::result, rows, x.cols, DType::f32);
  attention_output_.multiply(attention_output_.converted(attended, space, Workspace::input), result);
  const Rows wide_input = intermediate_.input(rows, space, Workspace::input);
  const Rows middle = space.rows(Workspace::middle, rows, x.cols, DType::f32);
  normalise(attention_norm_, result, residual, middle, &intermediate_, wide_input);

  const bool whole = output_.grid() && intermediate_.reads() == DType::u8;  // integers from the activation on
  const Rows wide = whole ? output_.input(rows, space, Workspace::wide)
                          : space.rows(Workspace::wide, rows, intermediate_.out(), intermediate_.writes());
  intermediate_.multiply(wide_input, wide, activation_);
  output_.multiply(whole ? wide : output_.converted(wide, space, Workspace::qkv), result);
  if (next == nullptr) {
    normalise(output_norm_, result, middle, out, nullptr, {});
    return {};
  }
  const Rows next_input = next->first().input(rows, space, Workspace::input);
  normalise(output_norm_, result, middle, x, &next->first(), next_input);
  return next_input;
}

void EngineLayer::attend(const SentenceGroup& group, bool first_only, const Rows& qkv, const Rows& to) const {
  int64_t longest = 0;
  for (int64_t b = 0; b < group.sentences(); ++b)
    longest = std::max<int64_t>(longest, group.offsets[b + 1] - group.offsets[b]);
  constexpr int64_t worth_a_task = 1 << 15;  // products, some of which are exponentials
  const int64_t step = std::max<int64_t>(1, worth_a_task / std::max<int64_t>(1, longest * longest * head_size_));
  parallel_rows(group.sentences() * heads_, step, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const auto b = static_cast<size_t>(task / heads_);
      const int64_t first = group.offsets[b], length = group.offsets[b + 1] - first;
      const auto of_type = qkv.type == DType::bf16 ? attend_head<Bf16> : attend_head<float>;
      of_type(first, length, first_only ? std::min<int64_t>(1, length) : length, task % heads_, heads_, head_size_, qkv,
              to);
    }
  });
}

void EngineLayer::normalise(const NormWeights& norm, const Rows& x, const Rows& residual, const Rows& to,
                            const PackedLinear* reader, const Rows& input) const {
  constexpr int64_t grain = 8;
  parallel_rows(x.rows, grain, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      kernels::layer_norm_forward(kernels::LayerNormRows<float, float>{.cols = x.cols,
                                                                       .x = x.at<float>(r),
                                                                       .residual = residual.at<float>(r),
                                                                       .gamma = norm.weight.data<float>(),
                                                                       .beta = norm.bias.data<float>(),
                                                                       .eps = eps_,
                                                                       .dropout = {},
                                                                       .y = to.at<float>(r)},
                                  0, 1);
      if (reader != nullptr) reader->convert(to, r, r + 1, input);
    }
  });
}

}  // namespace espalier
