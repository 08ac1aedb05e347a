// SPDX-License-Identifier: Apache-2.0
// Products at BERT-base's shapes: forward, input gradient and weight gradient of the square and the wide layers, each
// layer's weights used once (cold); and forward in integers, with weights of 8, 7 and 4 bits.
#include "core/products/gemm.h"
#include "apps/benchmarks/benchmarks.h"
#include "core/check.h"
#include "core/kernels/gemm_int8.h"
#include "core/ops.h"
#include "core/parallel.h"
#include "core/products/packed_weight.h"
#include "core/rng.h"
#include "core/tensor.h"

namespace espalier {
namespace {

constexpr int64_t layers = 12, hidden = 768, wide = 3072;

struct Shape2 {
  int64_t tokens, out, in;
  double flop() const { return 2.0 * static_cast<double>(layers * tokens * out * in); }
};

// GFLOP/s of product(layer) for all layers in turn.
template <class F>
double rate(const Shape2& s, int64_t repeats, const F& product) {
  return 1e-9 * s.flop() / median_seconds(repeats, [&] {
           for (int64_t layer = 0; layer < layers; ++layer) product(layer);
         });
}

struct Rates {
  double forward, input_gradient, weight_gradient;
};

Rates in_f32(const Shape2& s, int64_t repeats) {
  const Tensor x = Tensor::zeros({s.tokens, s.in}), y = Tensor::zeros({s.tokens, s.out}),
               w = Tensor::zeros({layers, s.out * s.in}), gw({layers, s.out * s.in});
  const auto run = [](const Gemm<float>& g) { gemm(std::span<const Gemm<float>>(&g, 1)); };
  const auto at = [&](const Tensor& t, int64_t layer) { return t.data<float>() + layer * s.out * s.in; };
  float *const px = x.data<float>(), *const py = y.data<float>();
  return {rate(s, repeats,
               [&](int64_t l) {
                 run({.m = s.tokens,
                      .n = s.out,
                      .k = s.in,
                      .a = px,
                      .lda = s.in,
                      .b = at(w, l),
                      .ldb = s.in,
                      .transpose_b = true,
                      .c = py,
                      .ldc = s.out});
               }),
          rate(s, repeats,
               [&](int64_t l) {
                 run({.m = s.tokens,
                      .n = s.in,
                      .k = s.out,
                      .a = py,
                      .lda = s.out,
                      .b = at(w, l),
                      .ldb = s.in,
                      .c = px,
                      .ldc = s.in});
               }),
          rate(s, repeats, [&](int64_t l) {
            run({.m = s.out,
                 .n = s.in,
                 .k = s.tokens,
                 .a = py,
                 .lda = s.out,
                 .transpose_a = true,
                 .b = px,
                 .ldb = s.in,
                 .c = at(gw, l),
                 .ldc = s.in});
          })};
}

const uint32_t* pairs(const Tensor& t) { return reinterpret_cast<const uint32_t*>(t.raw()); }

// As ops/linear.cpp calls them; the weight gradient includes packing its two operands.
Rates in_bf16(const Shape2& s, int64_t repeats) {
  const Tensor x = Tensor::zeros({s.tokens, s.in}, DType::bf16), y = Tensor::zeros({s.tokens, s.out}, DType::bf16),
               w = Tensor::zeros({s.out, s.in}), gw({layers, s.out * s.in});
  std::vector<PackedWeight> packed;
  for (int64_t l = 0; l < layers; ++l) packed.emplace_back(s.out, s.in).pack(w.data<float>());
  const auto run = [](const kernels::Bf16Product& g) { gemm(std::span<const kernels::Bf16Product>(&g, 1)); };
  const auto weight_gradient = [&](int64_t l) {
    const Tensor px = pack_activation(x), py = pack_activation(y);
    const int64_t k = kernels::pairs_of(s.tokens);
    std::vector<kernels::Bf16Product> products;
    for (int64_t row = 0; row < s.out; row += 32)
      products.push_back({.m = 32,
                          .n = s.in,
                          .pairs = k,
                          .a = pairs(py) + row * k,
                          .a_row = 1,
                          .a_pair = 32,
                          .b = pairs(px),
                          .c = gw.data<float>() + (l * s.out + row) * s.in,
                          .ldc = s.in});
    gemm(std::span<const kernels::Bf16Product>(products));
  };
  return {rate(s, repeats,
               [&](int64_t l) {
                 run({.m = s.tokens,
                      .n = s.out,
                      .pairs = s.in / 2,
                      .a = pairs(x),
                      .a_row = s.in / 2,
                      .b = packed[static_cast<size_t>(l)].forward(),
                      .c16 = y.data<Bf16>(),
                      .ldc = s.out});
               }),
          rate(s, repeats,
               [&](int64_t l) {
                 run({.m = s.tokens,
                      .n = s.in,
                      .pairs = s.out / 2,
                      .a = pairs(y),
                      .a_row = s.out / 2,
                      .b = packed[static_cast<size_t>(l)].backward(),
                      .c16 = x.data<Bf16>(),
                      .ldc = s.in});
               }),
          rate(s, repeats, weight_gradient)};
}

// As inference of a quantized file calls them, with rounding x and scaling the sums. Weights of 0 would be left out.
double in_integers(const Shape2& s, int bits, int64_t repeats) {
  const Tensor x = Tensor::zeros({s.tokens, s.in}), b = Tensor::zeros({s.out}), w({s.out, s.in});
  Rng rng(1, 1);
  for (float& v : w.span<float>()) v = static_cast<float>(rng.normal());
  const QuantGrid grid = symmetric_row_grid(w, bits);
  const Tensor q = quantize(w, grid);
  std::vector<ops::Affine> weights;
  for (int64_t l = 0; l < layers; ++l)
    weights.push_back({Var{}, Var{b}, std::make_shared<const QuantizedWeight>(q, grid, bits, affine_grid(-1, 1, 8))});
  return rate(s, repeats, [&](int64_t l) { ops::linear_int8(Var{x}, std::span(&weights[static_cast<size_t>(l)], 1)); });
}

}  // namespace

int bench_gemm(const BenchOptions& o, const CommonOptions& common) {
  const ChosenPrecision precision = choose(o.precision);
  for (const auto& [out, in] : {std::pair{hidden, hidden}, {wide, hidden}, {hidden, wide}}) {
    const Shape2 s{13 * o.batch_size, out, in};
    const int64_t repeats = std::max<int64_t>(1, o.steps / 4);
    const Rates r = precision.compute == DType::bf16 ? in_bf16(s, repeats) : in_f32(s, repeats);
    print_figures({{"bench", "gemm"},
                   {"products", precision.note},
                   {"tokens", s.tokens},
                   {"out", out},
                   {"in", in},
                   {"threads", threads()},
                   {"forward_gflops", r.forward},
                   {"input_gradient_gflops", r.input_gradient},
                   {"weight_gradient_gflops", r.weight_gradient},
                   {"int8_kernel", kernels::gemm_int8_kernel()},
                   {"int8_forward_gops", in_integers(s, 8, repeats)},
                   {"int7_forward_gops", in_integers(s, 7, repeats)},
                   {"int4_forward_gops", in_integers(s, 4, repeats)}},
                  common);
  }
  return 0;
}

}  // namespace espalier
