// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <vector>

#include "core/kernels/amx_product.h"
#include "core/kernels/gemm_int8_native.h"

namespace espalier::kernels {

bool agrees_with_emulation(void (*kernel)(const Int8Product&) noexcept, int bits) {
  constexpr int64_t m = 45, n = 70, quads = 41;
  std::vector<uint8_t> a(m * quads * 4);
  std::vector<uint32_t> b(static_cast<size_t>(panels_of(n) * quads * panel_columns));
  uint32_t state = 1;
  const auto next = [&state] { return state = state * 1664525U + 1013904223U; };
  for (uint8_t& v : a) v = static_cast<uint8_t>(next() >> 24);
  for (uint32_t& v : b) {
    v = next() >> 16 | (next() & 0xffff0000U);
    int8_t w[4];
    std::memcpy(w, &v, sizeof w);
    for (int8_t& x : w) x = static_cast<int8_t>(x >> (8 - bits));
    std::memcpy(&v, w, sizeof w);
  }
  std::vector<int32_t> expected(m * n), found(m * n);
  Int8Product g = {.m = m,
                   .n = n,
                   .quads = quads,
                   .a = a.data(),
                   .lda = quads * 4,
                   .b = b.data(),
                   .bits = bits,
                   .c = expected.data(),
                   .ldc = n};
  EmulatedTiles<Int8Quads> emulated;
  int8_tiles(g, emulated);
  g.c = found.data();
  kernel(g);
  return found == expected;
}

}  // namespace espalier::kernels
