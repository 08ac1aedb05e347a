// SPDX-License-Identifier: Apache-2.0
// The bytes of an edge file, version 1: one flat file with all that answers need, little-endian, read where it lies.
//   Header    64 bytes, as EdgeHeader
//   Sections  128 bytes each, as EdgeSection
//   Contents  of each section, from its offset on, which is a multiple of 64; zeros between them
// docs/EDGE.md lists the sections of a model. Used by what reads and writes these files.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "core/dtype.h"

namespace espalier {

constexpr char edge_magic[8] = {'E', 'S', 'P', 'E', 'D', 'G', 'E', '\0'};
constexpr uint32_t edge_version = 1;
constexpr uint64_t edge_alignment = 64;
constexpr std::array<DType, 4> edge_types = {DType::f32, DType::i32, DType::s8, DType::u8};  // EdgeSection::type

struct EdgeHeader {
  char magic[8];
  uint32_t version;
  uint32_t sections;   // how many
  uint64_t bytes;      // of the whole file
  uint64_t checksum;   // XXH3, 64 bits, of all bytes behind the header
  uint8_t unused[32];  // zero
};
static_assert(sizeof(EdgeHeader) == 64);

struct EdgeSection {
  char name[80];  // ends with at least one NUL
  uint32_t type;  // a place in edge_types
  uint32_t rank;  // 1 to 4
  uint64_t dims[4];
  uint64_t offset;  // from the beginning of the file
};
static_assert(sizeof(EdgeSection) == 128);
static_assert(std::endian::native == std::endian::little, "edge files are read as they lie in memory");

}  // namespace espalier
