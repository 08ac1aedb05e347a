// SPDX-License-Identifier: Apache-2.0
// OpenBLAS, loaded with the first product that needs it. Linked, it would start its threads before main and, where
// their memory is refused (ulimit -v), ask for it without end; its build without threads is no way out, since Debian's
// is not safe to call from several threads. Used by gemm.cpp alone.
#pragma once

#include <cblas.h>

namespace espalier {

struct OpenBlas {
  decltype(&cblas_sgemm) sgemm;
  decltype(&cblas_dgemm) dgemm;
};

// Computes on the calling thread. The first call is made outside of parallel sections, since it sets an environment
// variable. Throws Failure where there is no OpenBLAS.
const OpenBlas& openblas();

}  // namespace espalier
