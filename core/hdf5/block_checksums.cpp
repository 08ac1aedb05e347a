// SPDX-License-Identifier: Apache-2.0
// Layout behind the file's `covered` bytes: one u64 for each block of 16 KiB, the last of which may be shorter, and
// then the 32 bytes of End. All little-endian.
#include "core/hdf5/block_checksums.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "core/check.h"
#include "core/checksum.h"
#include "core/parallel.h"

namespace espalier {
namespace {

constexpr int64_t block = BlockChecksums::block;
constexpr int64_t piece = static_cast<int64_t>(checksum_piece);  // of blocks, for one thread
constexpr std::array<char, 16> mark = {'E', 's', 'p', 'a', 'l', 'i', 'e', 'r', ' ', 'X', 'X', 'H', '3', '/', '6', '4'};

struct End {
  uint64_t covered;
  uint64_t checksum;  // of the blocks' checksums and `covered`
  std::array<char, 16> mark;
};

int64_t blocks_of(int64_t bytes) { return (bytes + block - 1) / block; }

uint64_t checksum_of(const std::vector<uint64_t>& sums, uint64_t covered) {
  const std::array<uint64_t, 2> both{checksum(std::as_bytes(std::span(sums))), covered};
  return checksum(std::as_bytes(std::span(both)));
}

void append(std::vector<std::byte>& to, std::span<const std::byte> bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

}  // namespace

bool read_fully(int descriptor, int64_t first, std::span<std::byte> to) {
  const int64_t n = read_at(descriptor, first, to);
  if (n >= 0 && n < std::ssize(to)) errno = EIO;  // another process cut the file off
  return n == std::ssize(to);
}

std::optional<BlockChecksums> BlockChecksums::read(const InputFile& file) {
  End end{};
  const int64_t place = file.size() - static_cast<int64_t>(sizeof end);
  if (place < 0) return std::nullopt;
  file.read(place, std::as_writable_bytes(std::span(&end, 1)));
  if (end.mark != mark) return std::nullopt;
  BlockChecksums all;
  all.covered_ = static_cast<int64_t>(end.covered);
  const bool fits = all.covered_ >= 0 && all.covered_ <= place && place - all.covered_ == 8 * blocks_of(all.covered_);
  if (fits) {
    all.sums_.resize(static_cast<size_t>(blocks_of(all.covered_)));
    file.read(all.covered_, std::as_writable_bytes(std::span(all.sums_)));
  }
  CHECK(fits && end.checksum == checksum_of(all.sums_, end.covered), file.path(),
        ": the checksums at its end are damaged; take another copy of the file");
  return all;
}

// The part of block `index` that `to`, from byte `first` on, asks for.
bool BlockChecksums::fill_block(const InputFile& file, int64_t index, int64_t first, std::span<std::byte> to) const {
  std::array<std::byte, block> whole;
  const int64_t begin = index * block, size = std::min(block, covered_ - begin);
  const std::span<std::byte> bytes = std::span(whole).first(static_cast<size_t>(size));
  if (!read_fully(file.descriptor(), begin, bytes) || checksum(bytes) != sums_[static_cast<size_t>(index)])
    return false;
  const int64_t from = std::max(first, begin), until = std::min(first + std::ssize(to), begin + size);
  std::memcpy(to.data() + (from - first), whole.data() + (from - begin), static_cast<size_t>(until - from));
  return true;
}

int64_t BlockChecksums::fill(const InputFile& file, int64_t first, std::span<std::byte> to) const {
  if (to.empty()) return -1;
  const int64_t end = first + std::ssize(to);
  const int64_t begin_whole = blocks_of(first), end_whole = std::max(begin_whole, end / block);  // blocks, in one piece
  const int64_t none = blocks_of(covered_);
  std::atomic<int64_t> bad = none;
  const auto blame = [&](int64_t index) {
    int64_t so_far = bad;
    while (index < so_far && !bad.compare_exchange_weak(so_far, index)) {}
  };
  const auto fill_edges = [&](int64_t from, int64_t until) {
    for (int64_t i = from; i < until; ++i)
      if (!fill_block(file, i, first, to)) blame(i);
  };
  fill_edges(first / block, std::min(begin_whole, blocks_of(end)));
  parallel_rows((end_whole - begin_whole) * block, piece, [&](int64_t from, int64_t until) {
    const int64_t at = begin_whole * block + from;
    const auto bytes = to.subspan(static_cast<size_t>(at - first), static_cast<size_t>(until - from));
    const bool there = read_fully(file.descriptor(), at, bytes);
    for (int64_t i = 0; i < until - from; i += block)
      if (!there ||
          checksum(bytes.subspan(static_cast<size_t>(i), block)) != sums_[static_cast<size_t>((at + i) / block)])
        blame((at + i) / block);
  });
  fill_edges(end_whole, blocks_of(end));
  return bad == none ? -1 : bad.load();
}

void BlockHasher::note(int64_t first, std::span<const std::byte> bytes) {
  const int64_t end = first + std::ssize(bytes);
  if (blocks_of(end) > std::ssize(sums_)) {
    sums_.resize(static_cast<size_t>(blocks_of(end)));
    known_.resize(sums_.size());
  }
  for (int64_t i = first / block; i < blocks_of(end); ++i) {
    const auto index = static_cast<size_t>(i);
    known_[index] = i * block >= first && (i + 1) * block <= end ? 1 : 0;
    if (known_[index] != 0) sums_[index] = checksum(bytes.subspan(static_cast<size_t>(i * block - first), block));
  }
}

bool BlockHasher::finish(int descriptor, int64_t size, std::vector<std::byte>& trailer) {
  sums_.resize(static_cast<size_t>(blocks_of(size)));
  known_.resize(sums_.size());
  if (size % block != 0) known_.back() = 0;
  std::array<std::byte, block> whole;
  for (size_t i = 0; i < sums_.size(); ++i) {
    if (known_[i] != 0) continue;
    const int64_t first = static_cast<int64_t>(i) * block;
    const std::span<std::byte> bytes = std::span(whole).first(static_cast<size_t>(std::min(block, size - first)));
    if (!read_fully(descriptor, first, bytes)) return false;
    sums_[i] = checksum(bytes);
  }
  const auto covered = static_cast<uint64_t>(size);
  const End end{covered, checksum_of(sums_, covered), mark};
  append(trailer, std::as_bytes(std::span(sums_)));
  append(trailer, std::as_bytes(std::span(&end, 1)));
  return true;
}

}  // namespace espalier
