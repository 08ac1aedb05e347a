// SPDX-License-Identifier: Apache-2.0
#include "core/storage.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <map>
#include <mutex>
#include <new>
#include <vector>

namespace espalier {
namespace {

constexpr size_t huge_page = size_t{2} << 20;

// Eight classes between powers of two: at most an eighth is wasted, and blocks of nearly equal size are
// interchangeable.
size_t size_class(size_t bytes) {
  const size_t step = std::max<size_t>(64, std::bit_ceil(bytes + 1) / 16);
  return (bytes + step - 1) / step * step;
}

struct Pool {
  std::mutex mutex;
  std::map<size_t, std::vector<void*>> free;  // by class size
  StorageStats stats;
};

Pool& pool() {
  static Pool* const instance = new Pool;  // never destroyed: tensors in static objects may outlive it
  return *instance;
}

// Gives back free blocks, the largest that are too small first, of `bytes` in all: a longer batch replaces blocks
// instead of adding to them.
void release_some(Pool& p, size_t bytes) {
  size_t released = 0;
  for (auto it = p.free.lower_bound(bytes); it != p.free.begin() && released < bytes;) {
    --it;
    while (!it->second.empty() && released < bytes) {
      std::free(it->second.back());
      it->second.pop_back();
      released += it->first;
    }
    if (it->second.empty()) it = p.free.erase(it);
  }
  p.stats.pooled -= released;
}

void* allocate(size_t bytes) {
  const size_t alignment = bytes >= huge_page ? huge_page : 64;
  void* const block = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (block == nullptr) throw std::bad_alloc();
  if (bytes >= huge_page) (void)madvise(block, bytes, MADV_HUGEPAGE);  // a hint: refused is fine
  return block;
}

}  // namespace

Storage::Storage(size_t bytes) : capacity_(size_class(std::max<size_t>(bytes, 1))) {
  Pool& p = pool();
  std::unique_lock lock(p.mutex);
  // The smallest free block that is not over twice as large: batches differ in length, their buffers should not pile up
  // side by side.
  if (const auto fit = p.free.lower_bound(capacity_); fit != p.free.end() && fit->first <= 2 * capacity_) {
    capacity_ = fit->first;
    data_ = static_cast<std::byte*>(fit->second.back());
    fit->second.pop_back();
    if (fit->second.empty()) p.free.erase(fit);
    p.stats.pooled -= capacity_;
  } else {
    release_some(p, capacity_);
    lock.unlock();
    data_ = static_cast<std::byte*>(allocate(capacity_));  // may throw: counted only afterwards
    lock.lock();
  }
  p.stats.live += capacity_;
  p.stats.peak = std::max(p.stats.peak, p.stats.live);
}

Storage::~Storage() {
  if (capacity_ == 0) return;  // someone else's bytes
  Pool& p = pool();
  const std::lock_guard lock(p.mutex);
  p.free[capacity_].push_back(data_);
  p.stats.live -= capacity_;
  p.stats.pooled += capacity_;
}

StorageStats storage_stats() {
  const std::lock_guard lock(pool().mutex);
  return pool().stats;
}

void reset_storage_peak() {
  const std::lock_guard lock(pool().mutex);
  pool().stats.peak = pool().stats.live;
}

void release_pool() {
  Pool& p = pool();
  const std::lock_guard lock(p.mutex);
  for (auto& [bytes, list] : p.free)
    for (void* block : list) std::free(block);
  p.free.clear();
  p.stats.pooled = 0;
}

}  // namespace espalier
