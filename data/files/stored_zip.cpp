// SPDX-License-Identifier: Apache-2.0
// The format is PKWARE's APPNOTE 6.3: at the end of the file a record says where the directory lies, which has an entry
// for each member; an entry says where the member's own header lies, which its contents follow. Numbers that need more
// than 32 bits stand in a zip64 record or field.
#include "data/files/stored_zip.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <vector>

#include "core/check.h"
#include "core/quoted.h"

namespace espalier {
namespace {

static_assert(std::endian::native == std::endian::little, "the numbers of a zip archive are little-endian");

using ZipBytes = std::vector<std::byte>;

constexpr int64_t end_bytes = 22, end64_bytes = 56, locator_bytes = 20, entry_bytes = 46, header_bytes = 30;
constexpr int64_t largest_directory = int64_t{64} << 20;
constexpr uint64_t in_zip64 = 0xffffffff;  // the number stands elsewhere

template <class T>
uint64_t number(std::span<const std::byte> bytes, int64_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

[[noreturn]] void damaged(const InputFile& file, const std::string& what) {
  fail(file.path(), ": ", what, "; the zip archive is cut off or damaged: take another copy of it");
}

ZipBytes bytes_of(const InputFile& file, uint64_t first, int64_t count, const char* what) {
  if (first > static_cast<uint64_t>(file.size()) || file.size() - static_cast<int64_t>(first) < count)
    damaged(file, std::string(what) + " lies outside of the file");
  ZipBytes bytes(static_cast<size_t>(count));
  file.read(static_cast<int64_t>(first), bytes);
  return bytes;
}

struct Directory {
  uint64_t first = 0, bytes = 0, entries = 0;
};

Directory find_directory(const InputFile& file) {
  constexpr int64_t longest_comment = 0xffff;
  const int64_t tail = std::min(file.size(), end_bytes + longest_comment);
  const ZipBytes bytes = bytes_of(file, static_cast<uint64_t>(file.size() - tail), tail, "the end");
  int64_t at = tail - end_bytes;
  while (at >= 0 && number<uint32_t>(bytes, at) != 0x06054b50) --at;
  if (at < 0) damaged(file, "has no directory at its end");
  Directory d = {number<uint32_t>(bytes, at + 16), number<uint32_t>(bytes, at + 12), number<uint16_t>(bytes, at + 10)};
  if (d.first != in_zip64 && d.bytes != in_zip64 && d.entries != 0xffff) return d;
  if (at < locator_bytes || number<uint32_t>(bytes, at - locator_bytes) != 0x07064b50)
    damaged(file, "its zip64 record is missing");
  const ZipBytes end = bytes_of(file, number<uint64_t>(bytes, at - locator_bytes + 8), end64_bytes, "the zip64 record");
  if (number<uint32_t>(end, 0) != 0x06064b50) damaged(file, "its zip64 record is missing");
  return {number<uint64_t>(end, 48), number<uint64_t>(end, 40), number<uint64_t>(end, 32)};
}

// An entry of the directory, with the numbers of its zip64 field.
struct ZipEntry {
  uint64_t flags, method, stored, bytes, header;
  std::string name;
};

ZipEntry entry_of(std::span<const std::byte> entry, size_t name, size_t extra, const InputFile& file) {
  ZipEntry e = {.flags = number<uint16_t>(entry, 8),
                .method = number<uint16_t>(entry, 10),
                .stored = number<uint32_t>(entry, 20),
                .bytes = number<uint32_t>(entry, 24),
                .header = number<uint32_t>(entry, 42),
                .name = std::string(reinterpret_cast<const char*>(entry.data()) + entry_bytes, name)};
  const std::span<const std::byte> fields = entry.subspan(static_cast<size_t>(entry_bytes) + name, extra);
  for (size_t at = 0; at + 4 <= fields.size();) {
    const auto id = number<uint16_t>(fields, static_cast<int64_t>(at));
    const size_t size = number<uint16_t>(fields, static_cast<int64_t>(at) + 2);
    if (at + 4 + size > fields.size()) damaged(file, "the member " + quoted(e.name) + " has a broken field");
    std::span<const std::byte> rest = fields.subspan(at + 4, size);
    at += 4 + size;
    if (id != 1) continue;  // zip64: those of the numbers that are elsewhere, in this order
    for (uint64_t* value : {&e.bytes, &e.stored, &e.header}) {
      if (*value != in_zip64) continue;
      if (rest.size() < 8) damaged(file, "the member " + quoted(e.name) + " has a broken zip64 field");
      *value = number<uint64_t>(rest, 0);
      rest = rest.subspan(8);
    }
  }
  return e;
}

ZipMember member_of(const ZipEntry& e, const InputFile& file) {
  CHECK(e.method == 0 && (e.flags & 1) == 0 && e.stored == e.bytes, file.path(), ": the member ", quoted(e.name),
        " is compressed or encrypted; expected one that is stored as it is, as torch.save writes it");
  const ZipBytes header = bytes_of(file, e.header, header_bytes, "the header of a member");
  if (number<uint32_t>(header, 0) != 0x04034b50) damaged(file, "the member " + quoted(e.name) + " has no header");
  const uint64_t first = e.header + header_bytes + number<uint16_t>(header, 26) + number<uint16_t>(header, 28),
                 size = static_cast<uint64_t>(file.size());
  if (first > size || e.bytes > size - first)
    damaged(file, "the member " + quoted(e.name) + " lies outside of the file");
  return {static_cast<int64_t>(first), static_cast<int64_t>(e.bytes)};
}

}  // namespace

std::map<std::string, ZipMember> zip_members(const InputFile& file) {
  const Directory d = find_directory(file);
  CHECK(d.bytes <= largest_directory, file.path(), ": the directory of the zip archive has ", d.bytes,
        " bytes; at most ", largest_directory, " are read");
  const ZipBytes all = bytes_of(file, d.first, static_cast<int64_t>(d.bytes), "the directory");
  std::span<const std::byte> rest = all;
  std::map<std::string, ZipMember> members;
  for (uint64_t i = 0; i < d.entries; ++i) {
    if (rest.size() < static_cast<size_t>(entry_bytes) || number<uint32_t>(rest, 0) != 0x02014b50)
      damaged(file, "its directory ends before its " + std::to_string(d.entries) + " members");
    const size_t name = number<uint16_t>(rest, 28), extra = number<uint16_t>(rest, 30),
                 whole = static_cast<size_t>(entry_bytes) + name + extra + number<uint16_t>(rest, 32);
    if (rest.size() < whole) damaged(file, "its directory ends within a member");
    const ZipEntry entry = entry_of(rest, name, extra, file);
    if (!members.emplace(entry.name, member_of(entry, file)).second)
      damaged(file, "has the member " + quoted(entry.name) + " twice");
    rest = rest.subspan(whole);
  }
  return members;
}

}  // namespace espalier
