// SPDX-License-Identifier: Apache-2.0
// AMX: int8 products on the tile registers of the CPU. Before the first use they must give the emulation's integers.
#include "core/kernels/gemm_int8_native.h"
#include "core/kernels/isa.h"

#if defined(__x86_64__)
#include <vector>

#include "core/kernels/amx_tiles.h"

namespace espalier::kernels {
namespace {

// A product with tails in every dimension, on both.
bool agrees_with_emulation() {
  constexpr int64_t m = 45, n = 70, quads = 41;
  std::vector<uint8_t> a(m * quads * 4);
  std::vector<uint32_t> b(static_cast<size_t>(panels_of(n) * quads * panel_columns));
  uint32_t state = 1;
  const auto next = [&state] { return state = state * 1664525U + 1013904223U; };
  for (uint8_t& v : a) v = static_cast<uint8_t>(next() >> 24);
  for (uint32_t& v : b) v = next() >> 16 | (next() & 0xffff0000U);
  std::vector<int32_t> expected(m * n), found(m * n);
  Int8Product g = {
      .m = m, .n = n, .quads = quads, .a = a.data(), .lda = quads * 4, .b = b.data(), .c = expected.data(), .ldc = n};
  EmulatedTiles<Int8Quads> emulated;
  int8_tiles(g, emulated);
  g.c = found.data();
  gemm_int8_amx(g);
  return found == expected;
}

}  // namespace

bool amx_int8_works() {
  static const bool works = has_amx_int8() && amx_allowed() && agrees_with_emulation();
  return works && has_amx_int8();
}

void gemm_int8_amx(const Int8Product& product) noexcept {
  AmxTiles<Int8Quads> tiles;
  int8_tiles(product, tiles);
}

}  // namespace espalier::kernels

#else

namespace espalier::kernels {
bool amx_int8_works() { return false; }
void gemm_int8_amx(const Int8Product&) noexcept {}
}  // namespace espalier::kernels

#endif
