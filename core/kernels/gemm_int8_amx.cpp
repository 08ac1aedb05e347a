// SPDX-License-Identifier: Apache-2.0
// AMX: int8 products on the tile registers of the CPU. Before the first use they must give the emulation's integers.
#include "core/kernels/gemm_int8_native.h"
#include "core/kernels/isa.h"

#if defined(__x86_64__)
#include "core/kernels/amx_tiles.h"

namespace espalier::kernels {
bool amx_int8_works() {
  if (!has_amx_int8()) return false;
  static const bool works = amx_allowed() && agrees_with_emulation(gemm_int8_amx);
  return works;
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
