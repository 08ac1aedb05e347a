// SPDX-License-Identifier: Apache-2.0
// Address space for libraries that do not bear its lack. Used by gemm.cpp and by programs when they begin.
#pragma once

#include <cstddef>

namespace espalier {

// Throws std::bad_alloc where the system would not give that much memory now. Takes about a microsecond.
void expect_room(size_t bytes);

}  // namespace espalier
