// SPDX-License-Identifier: Apache-2.0
// MappedScratch: bytes that only grow and lie in a file without a name, which is mapped: the system keeps in memory
// what is in use and there is room for. Used by data/files/paged_array.
#pragma once

#include <cstddef>
#include <span>

namespace espalier {

// The file is in $TMPDIR, else in /var/tmp, and gone with the process. Throws Error, naming that folder, where it
// cannot be made or written, such as on a full disk.
class MappedScratch {
 public:
  MappedScratch();
  ~MappedScratch();
  MappedScratch(const MappedScratch&) = delete;
  MappedScratch& operator=(const MappedScratch&) = delete;

  void append(std::span<const std::byte> bytes);
  const std::byte* data() const { return data_; }  // until the next append
  size_t size() const { return size_; }

 private:
  int descriptor_ = -1;
  std::byte* data_ = nullptr;
  size_t size_ = 0, mapped_ = 0;
};

}  // namespace espalier
