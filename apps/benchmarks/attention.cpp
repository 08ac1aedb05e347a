// SPDX-License-Identifier: Apache-2.0
// Attention forward and backward at BERT-base's shape for sentences of several lengths, and the memory that it adds.
#include "apps/benchmarks/benchmarks.h"
#include "core/ops.h"
#include "core/parallel.h"
#include "core/storage.h"

namespace espalier {

int bench_attention(const BenchOptions& o, const CommonOptions& common) {
  constexpr int64_t heads = 12, width = 768, tokens = 4096;
  for (const int32_t length : {16, 64, 128, 256, 512}) {
    std::vector<int32_t> offsets;
    for (int32_t at = 0; at <= tokens; at += length) offsets.push_back(at);
    const Tensor qkv = Tensor::zeros({tokens, 3 * width}), seed = Tensor::zeros({tokens, width});
    const double forward = median_seconds(o.steps, [&] { ops::attention(Var{qkv}, offsets, heads, {}); });
    size_t memory = 0;
    const double both = median_seconds(o.steps, [&] {
      LeafGrad grad;
      Tape tape;
      reset_storage_peak();
      const size_t before = storage_stats().live;
      const Var y = ops::attention(tape.leaf(qkv, grad), offsets, heads, {});
      memory = storage_stats().live - before;
      tape.backward(y, seed);
    });
    const double flop = 2e-9 * 2 * static_cast<double>(tokens) * length * width;
    print_figures({{"bench", "attention"},
                   {"length", length},
                   {"tokens", tokens},
                   {"threads", threads()},
                   {"forward_ms", 1e3 * forward},
                   {"forward_gflops", flop / forward},
                   {"backward_ms", 1e3 * (both - forward)},
                   {"backward_gflops", 2.5 * flop / (both - forward)},
                   {"kept_mb", 1e-6 * static_cast<double>(memory)}},
                  common);
  }
  return 0;
}

}  // namespace espalier
