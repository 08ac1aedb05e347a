// SPDX-License-Identifier: Apache-2.0
#include "data/models/element_types.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "core/check.h"
#include "core/checksum.h"
#include "core/dtype.h"
#include "core/parallel.h"

namespace espalier {
namespace {

constexpr struct {
  const char* name;
  int bytes;
} types[] = {{"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"I64", 8},     {"I32", 4},     {"I16", 2}, {"I8", 1},
             {"U64", 8}, {"U32", 4}, {"U16", 2}, {"U8", 1},   {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"BOOL", 1}};

float half_to_float(uint16_t half) {
  const uint32_t sign = (half & 0x8000U) << 16, exponent = (half >> 10) & 31U, fraction = half & 0x3ffU;
  if (exponent == 0)
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(static_cast<float>(fraction) * 0x1p-24F));
  return std::bit_cast<float>(sign | (exponent == 31 ? 255U : exponent + 112) << 23 | fraction << 13);
}

// Reads elements of type T by several threads and converts them. Returns the checksum of what was read.
template <class T, class Convert>
uint64_t read_converted(const InputFile& file, int64_t first, std::span<float> to, Convert convert) {
  constexpr auto most = static_cast<int64_t>(checksum_piece / sizeof(T));
  std::vector<uint64_t> sums((to.size() + most - 1) / most);
  parallel_rows(std::ssize(to), most, [&](int64_t begin, int64_t end) {
    std::vector<T> piece(static_cast<size_t>(end - begin));
    file.read(first + begin * static_cast<int64_t>(sizeof(T)), std::as_writable_bytes(std::span(piece)));
    sums[static_cast<size_t>(begin / most)] = checksum(std::as_bytes(std::span(piece)));
    std::transform(piece.begin(), piece.end(), to.begin() + begin, convert);
  });
  return checksum(std::as_bytes(std::span(sums)));
}

// The same for the type that we want, without a copy.
uint64_t read_plain(const InputFile& file, int64_t first, std::span<std::byte> to) {
  constexpr auto most = static_cast<int64_t>(checksum_piece);
  std::vector<uint64_t> sums((to.size() + checksum_piece - 1) / checksum_piece);
  parallel_rows(std::ssize(to), most, [&](int64_t begin, int64_t end) {
    const auto piece = to.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
    file.read(first + begin, piece);
    sums[static_cast<size_t>(begin / most)] = checksum(piece);
  });
  return checksum(std::as_bytes(std::span(sums)));
}

}  // namespace

int64_t element_bytes(const std::string& type) {
  const auto* const found = std::ranges::find_if(types, [&](const auto& t) { return type == t.name; });
  return found == std::end(types) ? 0 : found->bytes;
}

uint64_t read_reals(const InputFile& file, const std::string& type, int64_t first, std::span<float> to,
                    const std::string& what) {
  const auto to_float = [](auto value) { return static_cast<float>(value); };
  if (type == "F32") return read_plain(file, first, std::as_writable_bytes(to));
  if (type == "F16") return read_converted<uint16_t>(file, first, to, half_to_float);
  if (type == "BF16") return read_converted<Bf16>(file, first, to, to_float);
  if (type == "F64") return read_converted<double>(file, first, to, to_float);
  fail(what, " has the dtype ", type, "; expected F32, F16, BF16 or F64");
}

}  // namespace espalier
