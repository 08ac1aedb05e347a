// SPDX-License-Identifier: Apache-2.0
// Fingerprint: 64 bits that tell contents apart which are not made to deceive (xxh3, about as fast as memory is read).
// Used for teachers' caches and for what a resumed run must find again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/checksum.h"

namespace espalier {

class Fingerprint {
 public:
  void add(const void* bytes, size_t count) {
    hash_ = checksum(std::span(static_cast<const std::byte*>(bytes), count), hash_);
  }
  void add(std::string_view text) { add(text.data(), text.size()); }
  template <class T>
  void add(const std::vector<T>& values) {
    add(values.data(), values.size() * sizeof(T));
  }
  template <class T>
  void add(std::span<const T> values) {
    add(values.data(), values.size_bytes());
  }
  void add(uint64_t number) { add(&number, sizeof number); }

  uint64_t value() const { return hash_; }
  std::string text() const { return hex(hash_); }  // 16 digits

 private:
  uint64_t hash_ = 0;  // of all that came so far: it is the seed of what comes next
};

}  // namespace espalier
