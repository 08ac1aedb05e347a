// SPDX-License-Identifier: Apache-2.0
// FNV-1a (Fowler, Noll, Vo): a hash of 64 bits, for streams of random numbers by name and to tell files apart that are
// not made to deceive.
#pragma once

#include <cstdint>
#include <string_view>

namespace espalier {

constexpr uint64_t fnv1a_start = 14695981039346656037U;
constexpr uint64_t fnv1a(uint64_t hash, uint64_t unit) { return (hash ^ unit) * 1099511628211U; }  // one unit more

constexpr uint64_t fnv1a(std::string_view text) {
  uint64_t hash = fnv1a_start;
  for (const char c : text) hash = fnv1a(hash, static_cast<unsigned char>(c));
  return hash;
}

}  // namespace espalier
