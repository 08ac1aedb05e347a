// SPDX-License-Identifier: Apache-2.0
// Products of inference with weights of which a share of blocks is zero: sparse against dense, alternately, at the
// shapes of BERT-base and of MiniLM. Each layer's weights are used once a round (cold).
#include <cstdio>
#include <numeric>

#include "apps/benchmarks/benchmarks.h"
#include "apps/shared/precision.h"
#include "core/kernels/isa.h"
#include "core/ops.h"
#include "core/parallel.h"

namespace espalier {
namespace {

constexpr int64_t layers = 6;

// Normally distributed, but for the share of its blocks that the seed chooses.
Tensor block_sparse(int64_t out, int64_t in, int64_t rows, int64_t cols, double sparsity, uint64_t seed) {
  CHECK(out % rows == 0 && in % cols == 0, "--block ", rows, "x", cols, " does not divide a weight of ", out, " x ",
        in);
  Rng rng(seed, 0);
  std::vector<int64_t> blocks(static_cast<size_t>(out / rows * (in / cols)));
  std::iota(blocks.begin(), blocks.end(), 0);
  for (size_t i = blocks.size(); i > 1; --i)
    std::swap(blocks[i - 1], blocks[static_cast<size_t>(rng.uniform() * static_cast<double>(i))]);
  blocks.resize(static_cast<size_t>(std::llround(sparsity * static_cast<double>(blocks.size()))));
  Tensor w({out, in});
  for (float& v : w.span<float>()) v = static_cast<float>(0.02 * rng.normal());
  for (const int64_t block : blocks)
    for (int64_t r = 0; r < rows; ++r)
      std::fill_n(w.data<float>() + (block / (in / cols) * rows + r) * in + block % (in / cols) * cols, cols, 0.0F);
  return w;
}

struct Weights {
  ops::Affine dense, sparse;
};

Weights weights(const Tensor& w, DType compute) {
  Weights both;
  both.dense = {Var{w}, Var{Tensor::zeros({w.rows()})}};
  both.sparse = both.dense;
  both.sparse.sparse = std::make_shared<const SparseWeight>(w, compute);
  if (compute == DType::bf16) {
    const auto packed = std::make_shared<PackedWeight>(w.rows(), w.cols());
    packed->pack(w.data<float>());
    both.dense.packed = packed;
  }
  return both;
}

}  // namespace

int bench_sparse_gemm(const BenchOptions& o, const CommonOptions& common) {
  int64_t rows = 0, cols = 0;
  CHECK(std::sscanf(o.block.c_str(), "%ldx%ld", &rows, &cols) == 2 && rows > 0 && cols > 0, "--block ", o.block,
        ": expected ROWSxCOLUMNS, such as 32x32");
  const Precision precision = choose_precision(o.precision);
  for (const auto& [out, in] :
       {std::pair<int64_t, int64_t>{768, 768}, {3072, 768}, {768, 3072}, {384, 384}, {1536, 384}, {384, 1536}}) {
    std::vector<Weights> all;
    for (uint64_t l = 0; l < layers; ++l)
      all.push_back(weights(block_sparse(out, in, rows, cols, o.sparsity, common.seed + l), precision.compute));
    for (const int64_t tokens : {32, 128, 1024}) {
      const Tensor x = Tensor::zeros({tokens, in}, precision.compute);
      const auto run = [&](ops::Affine Weights::*which) {
        return seconds_of([&] {
          for (const Weights& w : all) ops::linear(Var{x}, w.*which, precision.compute);
        });
      };
      std::vector<double> dense, sparse, ratio;
      for (int64_t i = -1; i < o.steps; ++i) {
        const double d = run(&Weights::dense), s = run(&Weights::sparse);
        if (i < 0) continue;  // warms up
        dense.push_back(d);
        sparse.push_back(s);
        ratio.push_back(d / s);
      }
      print_figures({{"bench", "gemm"},
                     {"products", precision.note},
                     {"isa", kernels::current_isa()},
                     {"threads", threads()},
                     {"block", o.block},
                     {"sparsity", o.sparsity},
                     {"tokens", tokens},
                     {"out", out},
                     {"in", in},
                     {"dense_ms", 1e3 * median(dense) / layers},
                     {"sparse_ms", 1e3 * median(sparse) / layers},
                     {"sparse_speedup", median(ratio)}},
                    common);
    }
  }
  return 0;
}

}  // namespace espalier
