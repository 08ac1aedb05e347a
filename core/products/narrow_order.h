// SPDX-License-Identifier: Apache-2.0
// The order of a packed int8 panel's quads in which their products can be added in 16 bits. Used by QuantizedWeight.
#pragma once

#include <cstdint>

#include "core/kernels/gemm_int8.h"

namespace espalier {

// Reorders the quads of panel[quads, 32], and `index` with them, so that as many as possible lie in groups that fit:
// pairs for weights of 7 and 8 bits, groups of four for 6 bits and of eight below. A panel with a quad that does not
// fit alone stays as it is, and its group is 0: with 8 bits that is the usual case, with fewer it does not happen.
kernels::NarrowSums order_for_narrow_sums(int64_t quads, uint32_t* panel, int32_t* index);

}  // namespace espalier
