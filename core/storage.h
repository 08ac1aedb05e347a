// SPDX-License-Identifier: Apache-2.0
// Storage: a block of 64-byte aligned bytes that returns to a process-wide pool, or bytes that belong to someone else.
// Blocks of 2 MiB and more lie on huge pages where the system grants them. Used by Tensor only.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace espalier {

class Storage {
 public:
  explicit Storage(size_t bytes);  // contents are undefined
  // Bytes of the owner, which lives as long; nobody writes to them. No owner: they outlive the storage anyhow.
  Storage(const std::byte* bytes, std::shared_ptr<const void> owner)
      : data_(const_cast<std::byte*>(bytes)), owner_(std::move(owner)) {}
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  std::byte* data() const { return data_; }

 private:
  std::byte* data_ = nullptr;
  size_t capacity_ = 0;  // 0: bytes that belong to someone else
  std::shared_ptr<const void> owner_;
};

// Bytes handed out now, the most handed out at any time since the last reset, and bytes held by the pool for reuse.
struct StorageStats {
  size_t live = 0, peak = 0, pooled = 0;
};
StorageStats storage_stats();
void reset_storage_peak();
void release_pool();  // gives the pooled blocks back to the system

}  // namespace espalier
