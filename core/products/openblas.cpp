// SPDX-License-Identifier: Apache-2.0
#include "core/products/openblas.h"

#include <dlfcn.h>
#include <sys/mman.h>

#include <cstdlib>
#include <new>
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

void reserve_for_openblas() {
  thread_local const bool possible = [] {
    constexpr size_t block = (128 << 20) + 4096;
    void* const memory =
        mmap(nullptr, block, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory != MAP_FAILED && munmap(memory, block) == 0;
  }();
  if (!possible) throw std::bad_alloc();
}

}  // namespace espalier
