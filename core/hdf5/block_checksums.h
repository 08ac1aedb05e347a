// SPDX-License-Identifier: Apache-2.0
// Checksums of every block of a file, which stand behind its last byte: no byte of it (data, HDF5's own structures,
// gaps) can change without a word. Other readers of HDF5 do not look behind the end that the file states, so they open
// it as any other. Used by core/hdf5/driver.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/input_file.h"

namespace espalier {

// Whether all of `to` could be read from byte `first` on; errno tells why not.
bool read_fully(int descriptor, int64_t first, std::span<std::byte> to);

// Of a file that is read.
class BlockChecksums {
 public:
  static constexpr int64_t block = int64_t{16} << 10;  // bytes

  // What stands at the end of the file; nullopt for a file without checksums. Throws Error where they are damaged.
  static std::optional<BlockChecksums> read(const InputFile& file);

  int64_t covered() const { return covered_; }  // bytes before the checksums

  // Fills `to` from byte `first` on, all within covered(), and checks the blocks that it touches. Returns the first
  // block that differs from its checksum or cannot be read, -1 for none. Several threads read what is long.
  int64_t fill(const InputFile& file, int64_t first, std::span<std::byte> to) const;

 private:
  bool fill_block(const InputFile& file, int64_t index, int64_t first, std::span<std::byte> to) const;

  int64_t covered_ = 0;
  std::vector<uint64_t> sums_;
};

// Of a file that is written, in any order and as often as one likes.
class BlockHasher {
 public:
  // These bytes are written at `first` now.
  void note(int64_t first, std::span<const std::byte> bytes);

  // What belongs behind the file of `size` bytes: the checksums and a closing line, as BlockChecksums reads them. Reads
  // the blocks again that were written in parts. False, with errno, where that fails.
  bool finish(int descriptor, int64_t size, std::vector<std::byte>& trailer);

 private:
  std::vector<uint64_t> sums_;
  std::vector<uint8_t> known_;  // whether the block was written in one piece, and not changed since
};

}  // namespace espalier
