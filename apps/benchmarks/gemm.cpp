// SPDX-License-Identifier: Apache-2.0
// Products at BERT-base's shapes: forward, input gradient and weight gradient of the square and the wide layers,
// weights cold (12 layers in turn).
#include <array>

#include "apps/benchmarks/benchmarks.h"
#include "core/gemm.h"
#include "core/parallel.h"
#include "core/tensor.h"

namespace espalier {

int bench_gemm(const BenchOptions& o, const CommonOptions& common) {
  const int64_t tokens = 13 * o.batch_size;
  constexpr int64_t layers = 12, hidden = 768, wide = 3072;
  const Tensor x = Tensor::zeros({tokens, wide}), y = Tensor::zeros({tokens, wide}),
               w = Tensor::zeros({layers, hidden * wide}), g = Tensor::zeros({layers, hidden * wide});
  for (const auto& [out, in] : {std::pair{hidden, hidden}, {wide, hidden}, {hidden, wide}}) {
    const auto rate = [&](const char* kind, const Gemm<float>& shape, bool weight_is_output) {
      const double seconds = median_seconds(std::max<int64_t>(1, o.steps / 4), [&] {
        for (int64_t layer = 0; layer < layers; ++layer) {
          Gemm<float> product = shape;
          (weight_is_output ? product.c : const_cast<float*&>(product.b)) =
              (weight_is_output ? g : w).data<float>() + layer * hidden * wide;
          gemm(std::span<const Gemm<float>>(&product, 1));
        }
      });
      print_figures({{"bench", "gemm"},
                     {"library", gemm_library()},
                     {"kind", kind},
                     {"tokens", tokens},
                     {"out", out},
                     {"in", in},
                     {"threads", threads()},
                     {"gflops", 2e-9 * static_cast<double>(layers * tokens * out * in) / seconds}},
                    common);
    };
    const float *const px = x.data<float>(), *const py = y.data<float>();
    rate("forward",
         {.m = tokens,
          .n = out,
          .k = in,
          .a = px,
          .lda = in,
          .ldb = in,
          .transpose_b = true,
          .c = y.data<float>(),
          .ldc = out},
         false);
    rate("input gradient",
         {.m = tokens, .n = in, .k = out, .a = py, .lda = out, .ldb = in, .c = x.data<float>(), .ldc = in}, false);
    rate("weight gradient",
         {.m = out, .n = in, .k = tokens, .a = py, .lda = out, .transpose_a = true, .b = px, .ldb = in, .ldc = in},
         true);
  }
  return 0;
}

}  // namespace espalier
