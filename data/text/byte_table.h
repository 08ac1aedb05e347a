// SPDX-License-Identifier: Apache-2.0
// ByteTable: from byte strings to ids, for many lookups of short keys: open addressing in one array, the keys in
// another. Used by WordPiece and ByteLevelBpe.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

class ByteTable {
 public:
  static constexpr int32_t none = -1;

  explicit ByteTable(std::size_t keys = 0) : places_(std::bit_ceil(2 * keys + 2)) {}

  // Of two equal keys the first one counts. No more keys than the constructor was told.
  void insert(std::string_view key, int32_t id) {
    const uint64_t h = hash(key);
    Place& place = places_[slot(key, h)];
    if (place.id != none) return;
    place = {static_cast<uint32_t>(keys_.size()), static_cast<uint32_t>(key.size()), static_cast<uint32_t>(h >> 32),
             id};
    keys_.append(key);
    longest_ = std::max(longest_, key.size());
  }

  int32_t find(std::string_view key) const { return places_[slot(key, hash(key))].id; }

  std::size_t longest() const { return longest_; }  // bytes of the longest key

 private:
  struct Place {
    uint32_t offset = 0, size = 0, mark = 0;  // mark: the upper half of the hash
    int32_t id = none;
  };

  static uint64_t load(const char* from, std::size_t bytes) {
    uint64_t word = 0;
    std::memcpy(&word, from, bytes);
    return word;
  }
  static uint64_t mix(uint64_t h) {
    h *= 0x9E3779B97F4A7C15;
    return h ^ h >> 32;
  }
  static uint64_t hash(std::string_view key) {
    uint64_t h = key.size();
    for (; key.size() > 8; key.remove_prefix(8)) h = mix(h ^ load(key.data(), 8));
    return mix(mix(h ^ load(key.data(), key.size())));
  }

  // Where the key is, or would be.
  std::size_t slot(std::string_view key, uint64_t h) const {
    const std::size_t last = places_.size() - 1;
    for (std::size_t at = h & last;; at = (at + 1) & last) {
      const Place& place = places_[at];
      if (place.id == none) return at;
      if (place.mark == h >> 32 && std::string_view(keys_).substr(place.offset, place.size) == key) return at;
    }
  }

  std::vector<Place> places_;  // a power of two, less than half of them taken
  std::string keys_;
  std::size_t longest_ = 0;
};

}  // namespace espalier
