// SPDX-License-Identifier: Apache-2.0
// Products of inference with weights of which a share of blocks is zero, against dense ones in turns, at the shapes of
// BERT-base and MiniLM. Each layer's weights are used once (cold).
#include <cstdio>

#include "apps/benchmarks/benchmarks.h"
#include "core/check.h"
#include "core/kernels/gemm_int8.h"
#include "core/ops.h"

namespace espalier {
namespace {

constexpr int64_t layers = 12;

// Normally distributed, but for a share of its blocks.
Tensor pruned(int64_t out, int64_t in, int64_t rows, int64_t cols, double share, uint64_t seed) {
  Rng rng(seed, 0);
  Tensor w({out, in});
  for (float& v : w.span<float>()) v = static_cast<float>(0.02 * rng.normal());
  for (int64_t r = 0; r < out; r += rows)
    for (int64_t c = 0; c < in; c += cols)
      if (rng.uniform() < share)
        for (int64_t i = r; i < std::min(out, r + rows); ++i)
          std::fill(w.data<float>() + i * in + c, w.data<float>() + i * in + std::min(in, c + cols), 0.0F);
  return w;
}

// The layer's operand in the form that the options ask for. `zeros`: leave them out.
ops::Affine layer(const Tensor& w, const BenchOptions& o, DType compute, bool zeros) {
  ops::Affine part{Var{w}, Var{Tensor::zeros({w.rows()})}};
  if (o.qat) {
    const QuantGrid grid = symmetric_row_grid(w, 8);
    part.form = std::make_shared<const QuantizedWeight>(quantize(w, grid), grid, 8, affine_grid(-2, 2, 8));
  } else if (zeros) {
    part.form = std::make_shared<const InferenceWeight>(w, compute);
  } else if (compute == DType::bf16) {
    const auto packed = std::make_shared<PackedWeight>(w.rows(), w.cols());
    packed->pack(w.data<float>());
    part.form = std::shared_ptr<const PackedWeight>(packed);
  }
  return part;
}

}  // namespace

int bench_sparse(const BenchOptions& o, const CommonOptions& common) {
  int64_t rows = 0, cols = 0;
  CHECK(std::sscanf(o.block.c_str(), "%ldx%ld", &rows, &cols) == 2 && rows > 0 && cols > 0, "--block ", o.block,
        ": expected OUTPUTSxINPUTS, such as 32x32");
  const ChosenPrecision precision = choose(o.qat ? Precision::f32 : o.precision);
  const DType compute = precision.compute;
  for (const auto& [out, in] :
       {std::pair<int64_t, int64_t>{768, 768}, {3072, 768}, {768, 3072}, {384, 384}, {1536, 384}, {384, 1536}})
    for (const double share : {0.1, 0.5, 0.7, 0.8, 0.9}) {
      std::vector<ops::Affine> dense, sparse;
      for (uint64_t l = 0; l < layers; ++l) {
        sparse.push_back(layer(pruned(out, in, rows, cols, share, common.seed + l), o, compute, true));
        const double dense_zeros = o.qat ? 0 : share;  // int8 weights always leave them out
        dense.push_back(layer(pruned(out, in, rows, cols, dense_zeros, common.seed + l), o, compute, false));
      }
      const Var x{Tensor::zeros({13 * o.batch_size, in}, compute)};
      const auto run = [&](const std::vector<ops::Affine>& weights) {
        return 1e3 / layers * seconds_of([&] {
                 for (const ops::Affine& w : weights) ops::linear(x, w, compute);
               });
      };
      std::vector<double> dense_ms, sparse_ms;
      for (int64_t i = -1; i < o.steps; ++i) {
        const double d = run(dense), s = run(sparse);
        if (i < 0) continue;  // warms up
        dense_ms.push_back(d);
        sparse_ms.push_back(s);
      }
      print_figures({{"bench", "sparse"},
                     {"products", o.qat ? std::string("int8 by ") + kernels::gemm_int8_kernel() : precision.note},
                     {"tokens", x.value.rows()},
                     {"out", out},
                     {"in", in},
                     {"block", o.block},
                     {"zero_blocks", share},
                     {"dense_ms", median(dense_ms)},
                     {"sparse_ms", median(sparse_ms)},
                     {"speedup", median(dense_ms) / median(sparse_ms)}},
                    common);
    }
  return 0;
}

}  // namespace espalier
