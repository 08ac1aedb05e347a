// SPDX-License-Identifier: Apache-2.0
// AMX: bf16 products on the tile registers of the CPU. Before the first use they must give what the emulation gives.
#include "core/kernels/gemm_bf16_native.h"
#include "core/kernels/isa.h"

#if defined(__x86_64__)
#include <cmath>
#include <vector>

#include "core/kernels/amx_tiles.h"

namespace espalier::kernels {
namespace {

// A product with tails in every dimension, on both.
bool agrees_with_emulation() {
  constexpr int64_t m = 45, n = 70, pairs = 41;
  std::vector<uint32_t> a(m * pairs), b(static_cast<size_t>(panels_of(n) * pairs * panel_columns));
  uint32_t state = 1;
  const auto next = [&state] {
    state = state * 1664525U + 1013904223U;
    const auto value = [](uint32_t bits) {
      return static_cast<uint32_t>(Bf16(static_cast<float>(bits % 512) / 256 - 1).bits);
    };
    return value(state >> 8) | value(state >> 17) << 16;
  };
  for (uint32_t& v : a) v = next();
  for (uint32_t& v : b) v = next();
  std::vector<float> expected(m * n), found(m * n);
  Bf16Product g = {
      .m = m, .n = n, .pairs = pairs, .a = a.data(), .a_row = pairs, .b = b.data(), .c = expected.data(), .ldc = n};
  EmulatedTiles<Bf16Pairs> emulated;
  bf16_tiles(g, emulated, [&](auto... block) { store_block(g, block...); });
  g.c = found.data();
  gemm_bf16_amx(g);
  for (size_t i = 0; i < found.size(); ++i)
    if (!(std::fabs(found[i] - expected[i]) < 1e-3F)) return false;
  return true;
}

}  // namespace

bool amx_works() {
  static const bool works = has_amx_bf16() && amx_allowed() && agrees_with_emulation();
  return works && has_amx_bf16();
}

void gemm_bf16_amx(const Bf16Product& product) noexcept {
  AmxTiles<Bf16Pairs> tiles;
  thread_local std::vector<uint32_t> scratch;
  const bool in_panels = product.a_pair != 1;
  const Bf16Product g = in_panels ? turned(product, scratch) : product;
  bf16_tiles(
      g, tiles, [&](auto... block) { store_block_avx512(g, block...); }, in_panels);
}

}  // namespace espalier::kernels

#else

namespace espalier::kernels {
bool amx_works() { return false; }
void gemm_bf16_amx(const Bf16Product&) noexcept {}
}  // namespace espalier::kernels

#endif
