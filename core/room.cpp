// SPDX-License-Identifier: Apache-2.0
#include "core/room.h"

#include <sys/mman.h>

#include <new>

namespace espalier {

void expect_room(size_t bytes) {
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  munmap(memory, bytes);
}

}  // namespace espalier
