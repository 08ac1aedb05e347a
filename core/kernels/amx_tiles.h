// SPDX-License-Identifier: Apache-2.0
// The tile registers of the CPU, for amx_product.h. Only where the compiler makes x86-64; to be used only where the CPU
// has AMX and the system allows it.
#pragma once

#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <type_traits>

#include "core/kernels/amx_product.h"

#define ESPALIER_AMX __attribute__((target("amx-tile,amx-bf16,amx-int8,avx512f")))
#define ESPALIER_AMX_INLINE __attribute__((target("amx-tile,amx-bf16,amx-int8,avx512f"), always_inline)) inline

namespace espalier::kernels {

// Asks the system, for this process.
inline bool amx_allowed() {
  constexpr long request_permission = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

// Registers 0 1 / 2 3: the sums; 4, 5: A; 6, 7: B.
template <class Steps>
class AmxTiles {
 public:
  using Sum = typename Steps::Sum;

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
      for (const int tile : {6, 7}) set(tile, tile_steps);
      _tile_loadconfig(&config_);
    }
    _tile_zero(0);
    _tile_zero(1);
    if (lower == 0) return;
    _tile_zero(2);
    _tile_zero(3);
  }

  ESPALIER_AMX void multiply(const TileProduct& g, const std::byte* a, const uint32_t* b, int64_t steps) {
    __asm__ volatile("" ::: "memory");  // g++ 12 does not know that a tile's load reads memory
    if (lower_ == 0)
      for (int64_t p = 0; p < steps; p += tile_steps) upper(a + g.at(p) * 4, g.row_bytes, b + p * panel_columns);
    else
      for (int64_t p = 0; p < steps; p += tile_steps) both(a + g.at(p) * 4, g.row_bytes, b + p * panel_columns);
  }

  ESPALIER_AMX void store(Sum* block) const {
    _tile_stored(0, block, panel_bytes);
    _tile_stored(1, block + 16, panel_bytes);
    if (lower_ == 0) return;
    _tile_stored(2, block + tile_rows * panel_columns, panel_bytes);
    _tile_stored(3, block + tile_rows * panel_columns + 16, panel_bytes);
  }

 private:
  ESPALIER_AMX_INLINE void upper(const std::byte* a, int64_t row_bytes, const uint32_t* b) {
    _tile_loadd(4, a, row_bytes);
    _tile_loadd(6, b, panel_bytes);
    _tile_loadd(7, b + 16, panel_bytes);
    if constexpr (whole_numbers) {
      _tile_dpbusd(0, 4, 6);
      _tile_dpbusd(1, 4, 7);
    } else {
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
    }
  }
  ESPALIER_AMX_INLINE void both(const std::byte* a, int64_t row_bytes, const uint32_t* b) {
    upper(a, row_bytes, b);
    _tile_loadd(5, a + tile_rows * row_bytes, row_bytes);
    if constexpr (whole_numbers) {
      _tile_dpbusd(2, 5, 6);
      _tile_dpbusd(3, 5, 7);
    } else {
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
  }

  static constexpr int64_t panel_bytes = panel_columns * 4;
  static constexpr bool whole_numbers = std::is_same_v<Sum, int32_t>;
  struct alignas(64) Config {
    uint8_t palette = 1, start_row = 0, reserved[14] = {};
    uint16_t row_bytes[16] = {};
    uint8_t rows[16] = {};
  };
  Config config_;
  int64_t upper_ = -1, lower_ = -1;
};

}  // namespace espalier::kernels
