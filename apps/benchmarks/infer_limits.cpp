// SPDX-License-Identifier: Apache-2.0
#include <numeric>

#include "apps/benchmarks/infer.h"
#include "apps/benchmarks/profile.h"
#include "core/kernels/gemm_int8.h"
#include "core/parallel.h"
#include "core/products/inference_weight.h"
#include "core/products/weight.h"

namespace espalier {
namespace {

// One product of 384 x 768 x 768, over and over: it stays in cache. Sums only: nothing is rounded or scaled.
double int8_product_rate() {
  constexpr int64_t m = 384, n = 768, columns = kernels::panel_columns;
  const Tensor a = Tensor::zeros({m, n}, DType::u8), w({n, n}, DType::s8);
  std::ranges::fill(w.span<int8_t>(), int8_t{1});
  const QuantGrid grid = {.scale = Tensor::zeros({n}), .zero_point = Tensor::zeros({n}, DType::i32)};
  std::ranges::fill(grid.scale.span<float>(), 1.0F);
  const QuantizedWeight packed(w, grid, 8, affine_grid(-1, 1, 8));
  const auto block = [&](int64_t row, int64_t rows, int64_t column, int64_t /*columns*/) {
    alignas(64) int32_t sums[32 * columns];
    const QuantizedWeight::Panel panel = packed.panel(column / columns);
    kernels::gemm_int8({.m = rows,
                        .n = columns,
                        .quads = panel.quads,
                        .a = a.data<uint8_t>() + row * n,
                        .lda = n,
                        .index = panel.index,
                        .group = packed.group(),
                        .b = panel.values,
                        .c = sums,
                        .ldc = columns});
  };
  const double seconds = median_seconds(60, [&] { parallel_blocks(m, kernels::gemm_int8_rows(), n, columns, block); });
  return 2.0 * m * n * n / seconds;
}

double read_rate(double bytes) {
  const Tensor array = Tensor::zeros({std::max<int64_t>(1 << 10, static_cast<int64_t>(bytes) / 8)}, DType::f64);
  const uint64_t* const words = reinterpret_cast<const uint64_t*>(array.raw());
  constexpr int64_t grain = 1 << 15;
  std::vector<uint64_t> sums(static_cast<size_t>(array.size() / grain + 1));
  const double seconds = median_seconds(30, [&] {
    parallel_rows(array.size(), grain, [&](int64_t begin, int64_t end) {
      sums[static_cast<size_t>(begin / grain)] += std::accumulate(words + begin, words + end, uint64_t{0});
    });
  });
  return static_cast<double>(array.bytes()) / seconds;
}

}  // namespace

ProductWork product_work(const Bert& model, const PackedBatch& batch) {
  ProductWork work;
  const auto wanted = std::ssize(model.head().rows(batch));
  const int64_t last_rows = wanted > 0 ? wanted : batch.tokens();
  for (const EncoderLayer& layer : model.layers()) {
    const bool last = &layer == &model.layers().back();
    for (const Linear* linear : layer.linears()) {
      const bool before_attention = linear == &layer.query || linear == &layer.key || linear == &layer.value;
      const auto size = static_cast<double>(linear->weight.shape.size());
      const auto integers = as<QuantizedWeight>(linear->form());
      const double left =
          integers ? integers->work_left() : InferenceWeight::work_left(linear->weight.value, model.compute());
      const auto kind = integers                         ? ProductWork::int8
                        : model.compute() == DType::bf16 ? ProductWork::bf16
                                                         : ProductWork::f32;
      work.flop[kind] += 2 * left * size * static_cast<double>(last && !before_attention ? last_rows : batch.tokens());
      work.weight_bytes += left * size * (kind == ProductWork::int8 ? 1 : kind == ProductWork::bf16 ? 2 : 4);
    }
  }
  return work;
}

InferenceLimits measure_limits(const ProductWork& work) {
  InferenceLimits limits;
  if (work.flop[ProductWork::f32] > 0) limits.flop_per_second[ProductWork::f32] = product_rate(DType::f32);
  if (work.flop[ProductWork::bf16] > 0) limits.flop_per_second[ProductWork::bf16] = product_rate(DType::bf16);
  if (work.flop[ProductWork::int8] > 0) limits.flop_per_second[ProductWork::int8] = int8_product_rate();
  limits.bytes_per_second = read_rate(work.weight_bytes);
  return limits;
}

double InferenceLimits::seconds_of_products(const ProductWork& work) const {
  double seconds = 0;
  for (size_t kind = 0; kind < work.flop.size(); ++kind)
    if (work.flop[kind] > 0) seconds += work.flop[kind] / flop_per_second[kind];
  return seconds;
}

}  // namespace espalier
