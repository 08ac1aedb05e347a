// SPDX-License-Identifier: Apache-2.0
// AMX: the block product of amx_product.h on the tile registers of the CPU. Before its first use it must give what the
// emulation gives.
#include "core/kernels/amx_product.h"
#include "core/kernels/gemm_bf16_native.h"
#include "core/kernels/isa.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmath>
#include <vector>

#define ESPALIER_AMX __attribute__((target("amx-tile,amx-bf16,avx512f")))

namespace espalier::kernels {
namespace {

// Registers 0 1 / 2 3: the sums; 4, 5: A; 6, 7: B.
class AmxTiles {
 public:
  AmxTiles() = default;
  AmxTiles(const AmxTiles&) = delete;
  AmxTiles& operator=(const AmxTiles&) = delete;
  ESPALIER_AMX ~AmxTiles() { _tile_release(); }

  ESPALIER_AMX void configure(int64_t upper, int64_t lower) {
    if (upper != upper_ || lower != lower_) {
      upper_ = upper;
      lower_ = lower;
      const auto set = [this](int tile, int64_t rows) {
        config_.rows[tile] = static_cast<uint8_t>(rows);
        config_.row_bytes[tile] = rows > 0 ? 64 : 0;
      };
      for (const int tile : {0, 1, 4}) set(tile, upper);
      for (const int tile : {2, 3, 5}) set(tile, lower);
      for (const int tile : {6, 7}) set(tile, tile_pairs);
      _tile_loadconfig(&config_);
    }
    _tile_zero(0);
    _tile_zero(1);
    if (lower == 0) return;
    _tile_zero(2);
    _tile_zero(3);
  }

  ESPALIER_AMX void multiply(const uint32_t* a, int64_t row_bytes, const uint32_t* b) {
    constexpr int64_t panel_bytes = panel_columns * 4;
    _tile_loadd(4, a, row_bytes);
    _tile_loadd(6, b, panel_bytes);
    _tile_loadd(7, b + 16, panel_bytes);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    if (lower_ == 0) return;
    _tile_loadd(5, a + tile_rows * row_bytes / 4, row_bytes);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }

  ESPALIER_AMX void store(float* block) const {
    constexpr int64_t row_bytes = panel_columns * 4;
    _tile_stored(0, block, row_bytes);
    _tile_stored(1, block + 16, row_bytes);
    if (lower_ == 0) return;
    _tile_stored(2, block + tile_rows * panel_columns, row_bytes);
    _tile_stored(3, block + tile_rows * panel_columns + 16, row_bytes);
  }

  void finish(const Bf16Product& g, int64_t row, int64_t rows, int64_t column, const float* block) const {
    store_block_avx512(g, row, rows, column, block);
  }

 private:
  struct alignas(64) Config {
    uint8_t palette = 1, start_row = 0, reserved[14] = {};
    uint16_t row_bytes[16] = {};
    uint8_t rows[16] = {};
  };
  Config config_;
  int64_t upper_ = -1, lower_ = -1;
};

bool allowed() {
  constexpr long request_permission = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

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
  EmulatedTiles emulated;
  tile_product(g, emulated);
  g.c = found.data();
  gemm_bf16_amx(g);
  for (size_t i = 0; i < found.size(); ++i)
    if (!(std::fabs(found[i] - expected[i]) < 1e-3F)) return false;
  return true;
}

}  // namespace

bool amx_works() {
  static const bool works = has_amx_bf16() && allowed() && agrees_with_emulation();
  return works && has_amx_bf16();
}

ESPALIER_AMX void gemm_bf16_amx(const Bf16Product& product) noexcept {
  AmxTiles tiles;
  if (product.a_pair == 1) return tile_product(product, tiles);
  thread_local std::vector<uint32_t> scratch;
  Bf16Product turned = product;
  scratch.resize(std::max(scratch.size(), static_cast<size_t>(product.m * product.pairs)));
  turn_panel(product, scratch.data());
  turned.a = scratch.data();
  turned.a_row = product.pairs;
  turned.a_pair = 1;
  tile_product(turned, tiles);
}

}  // namespace espalier::kernels

#else

namespace espalier::kernels {
bool amx_works() { return false; }
void gemm_bf16_amx(const Bf16Product&) noexcept {}
}  // namespace espalier::kernels

#endif
