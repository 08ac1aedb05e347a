// SPDX-License-Identifier: Apache-2.0
#include "core/fingerprint.h"

#include <xxhash.h>

namespace espalier {

void Fingerprint::add(const void* bytes, size_t count) { hash_ = XXH3_64bits_withSeed(bytes, count, hash_); }

std::string Fingerprint::text() const {
  static const char digits[] = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += digits[hash_ >> shift & 15];
  return text;
}

}  // namespace espalier
