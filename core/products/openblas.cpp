// SPDX-License-Identifier: Apache-2.0
#include "core/products/openblas.h"

#include <dlfcn.h>

#include <cstdlib>
#include <string>

#include "core/check.h"

namespace espalier {
namespace {

template <class Function>
Function function(void* library, const char* name) {
  auto* const found = reinterpret_cast<Function>(dlsym(library, name));
  if (found == nullptr) throw Failure(std::string("OpenBLAS has no ") + name + "; install OpenBLAS 0.3.6 or newer");
  return found;
}

OpenBlas load() {
  setenv("OPENBLAS_NUM_THREADS", "1", 1);  // it is read while the library is loaded
  for (const char* file : {ESPALIER_OPENBLAS, "libopenblas.so.0", "libopenblas.so"})
    if (void* library = dlopen(file, RTLD_NOW | RTLD_LOCAL); library != nullptr)
      return {function<decltype(&cblas_sgemm)>(library, "cblas_sgemm"),
              function<decltype(&cblas_dgemm)>(library, "cblas_dgemm")};
  throw Failure(std::string("OpenBLAS cannot be loaded: it is not installed, or there is no memory for it (") +
                ESPALIER_OPENBLAS + ")");
}

}  // namespace

const OpenBlas& openblas() {
  static const OpenBlas loaded = load();
  return loaded;
}

}  // namespace espalier
