// SPDX-License-Identifier: Apache-2.0
// WebAssembly's relaxed SIMD, for weights of at most 7 bits: dot products of four signed bytes, activations less 128,
// with four of 7 bits, weights plus 64. No sum in between can saturate, so the result does not depend on the CPU.
// Debian's Emscripten cannot link these instructions. So this file is compiled twice: by a newer clang to a module of
// its own, int8_dots.wasm, that works in the memory of the runtime; and into the runtime, where it calls that module.
#include "core/kernels/gemm_int8_native.h"

#if defined(__wasm_relaxed_simd__)
#include <wasm_simd128.h>

#include <algorithm>

namespace espalier::kernels {
namespace {

constexpr int64_t most_rows = 3;     // of a tile of 16 columns: its sums fit into the registers of x86
constexpr int64_t most_quads = 512;  // of a row that are made signed at a time

v128_t add_fours(v128_t bytes, v128_t sum) {
  return wasm_i32x4_relaxed_dot_i8x16_i7x16_add(bytes, wasm_i8x16_splat(1), sum);
}

// to[4 * quads] = the quads from `first` on of a row of A, less 128; their sum.
int32_t make_signed(const Int8Product& g, const uint8_t* row, int64_t first, int64_t quads, uint8_t* to) {
  v128_t sum = wasm_i32x4_splat(0), rest = sum;
  int64_t q = 0;
  if (g.index == nullptr)
    for (; q + 4 <= quads; q += 4) {
      const v128_t x = wasm_v128_xor(wasm_v128_load(row + 4 * (first + q)), wasm_i8x16_splat(-128));
      wasm_v128_store(to + 4 * q, x);
      sum = add_fours(x, sum);
    }
  for (; q < quads; ++q) {
    const v128_t x = wasm_v128_xor(wasm_v128_load32_splat(row + 4 * g.at(first + q)), wasm_i8x16_splat(-128));
    wasm_v128_store32_lane(to + 4 * q, x, 0);
    rest = add_fours(x, rest);
  }
  return wasm_i32x4_extract_lane(sum, 0) + wasm_i32x4_extract_lane(sum, 1) + wasm_i32x4_extract_lane(sum, 2) +
         wasm_i32x4_extract_lane(sum, 3) + wasm_i32x4_extract_lane(rest, 0);
}

// 128 times the sum of each column's weights.
void shifts(int64_t quads, const uint32_t* b, int32_t* to) {
  v128_t sum[8];
  for (v128_t& s : sum) s = wasm_i32x4_splat(0);
  for (int64_t q = 0; q < quads; ++q, b += panel_columns)
    for (int v = 0; v < 8; ++v) sum[v] = add_fours(wasm_v128_load(b + 4 * v), sum[v]);
  for (int v = 0; v < 8; ++v) wasm_v128_store(to + 4 * v, wasm_i32x4_shl(sum[v], 7));
}

// sums[R][panel_columns] += the products of R rows of x with 16 columns.
template <int R>
void tile(int64_t quads, const uint8_t* x, const uint32_t* b, int32_t* sums) {
  v128_t sum[R][4];
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < 4; ++v) sum[r][v] = wasm_v128_load(sums + r * panel_columns + 4 * v);
  for (int64_t q = 0; q < quads; ++q, x += 4, b += panel_columns) {
    v128_t row[R];
    for (int r = 0; r < R; ++r) row[r] = wasm_v128_load32_splat(x + r * most_quads * 4);
    for (int v = 0; v < 4; ++v) {
      const v128_t columns = wasm_i8x16_add(wasm_v128_load(b + 4 * v), wasm_i8x16_splat(64));
      for (int r = 0; r < R; ++r) sum[r][v] = wasm_i32x4_relaxed_dot_i8x16_i7x16_add(row[r], columns, sum[r][v]);
    }
  }
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < 4; ++v) wasm_v128_store(sums + r * panel_columns + 4 * v, sum[r][v]);
}

// sums[rows][panel_columns] += the products of rows of A, the first of them at `a`, with a panel, less 128 times the
// weights: x w = (x - 128) (w + 64) - 64 (x - 128) + 128 w.
void add_products(const Int8Product& g, int64_t rows, const uint8_t* a, const uint32_t* b, int32_t* sums) {
  alignas(16) uint8_t x[most_rows * most_quads * 4];
  for (int64_t first = 0; first < g.quads; first += most_quads, b += most_quads * panel_columns) {
    const int64_t quads = std::min(most_quads, g.quads - first);
    for (int64_t r = 0; r < rows; ++r) {
      const int32_t sum = make_signed(g, a + r * g.lda, first, quads, x + r * most_quads * 4);
      for (int64_t c = 0; c < panel_columns; ++c) sums[r * panel_columns + c] -= 64 * sum;
    }
    for (int64_t part = 0; part < panel_columns; part += 16)
      if (rows == 3)
        tile<3>(quads, x, b + part, sums + part);
      else if (rows == 2)
        tile<2>(quads, x, b + part, sums + part);
      else
        tile<1>(quads, x, b + part, sums + part);
  }
}

}  // namespace

extern "C" void int8_dots(const Int8Product* product) {
  const Int8Product& g = *product;
  alignas(16) int32_t sums[most_rows * panel_columns], begin[panel_columns];
  for (int64_t column = 0; column < g.n; column += panel_columns) {
    const uint32_t* const b = g.b + column * g.quads;
    shifts(g.quads, b, begin);
    for (int64_t row = 0, rows = 0; row < g.m; row += rows) {
      rows = std::min(most_rows, g.m - row);
      for (int64_t r = 0; r < rows; ++r) std::copy_n(begin, panel_columns, sums + r * panel_columns);
      add_products(g, rows, g.a + row * g.lda, b, sums);
      put_sums(g, row, rows, column, sums);
    }
  }
}

}  // namespace espalier::kernels

#elif defined(__EMSCRIPTEN__)
#include <emscripten.h>

#include "core/kernels/isa.h"

// The page compiles int8_dots.wasm, where the browser can, and leaves it in Module.int8Dots before the first product.
// clang-format off
EM_JS(int, espalier_start_int8_dots, (void* stack_end), {
  if (!Module["int8Dots"]) return 0;
  const dots = new WebAssembly.Instance(Module["int8Dots"], {"env": {"memory": wasmMemory}}).exports;
  dots["__stack_pointer"].value = stack_end;
  Module["int8Product"] = dots["int8_dots"];
  return 1;
});
EM_JS(void, espalier_int8_dots, (const void* product), { Module["int8Product"](product); });
// clang-format on

namespace espalier::kernels {

bool start_relaxed_dots() {
  alignas(16) static char stack[32 << 10];
  return espalier_start_int8_dots(stack + sizeof stack) != 0;
}

bool relaxed_dots_work() {
  if (!has_relaxed_dots()) return false;
  static const bool works = agrees_with_emulation(gemm_int8_relaxed, 7);
  return works;
}

void gemm_int8_relaxed(const Int8Product& product) noexcept { espalier_int8_dots(&product); }

}  // namespace espalier::kernels

#else

namespace espalier::kernels {
bool start_relaxed_dots() { return false; }
bool relaxed_dots_work() { return false; }
void gemm_int8_relaxed(const Int8Product&) noexcept {}
}  // namespace espalier::kernels

#endif
