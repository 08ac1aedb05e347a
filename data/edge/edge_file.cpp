// SPDX-License-Identifier: Apache-2.0
#include "data/edge/edge_file.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "core/check.h"
#include "core/checksum.h"
#include "core/input_file.h"
#include "core/quoted.h"
#include "data/edge/edge_layout.h"

namespace espalier {
namespace {

const char* const expected = "expected a file that export --format edge has written";

struct Mapping {
  Mapping(const InputFile& file) : size(static_cast<size_t>(file.size())) {
    memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.descriptor(), 0);
    CHECK(memory != MAP_FAILED, file.path(), ": cannot be mapped: ", std::strerror(errno));
  }
  ~Mapping() { munmap(memory, size); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  void* memory;
  size_t size;
};

// Throws for what no whole file of this version begins with.
void check(const EdgeHeader& header, uint64_t bytes, const std::string& source) {
  CHECK(std::memcmp(header.magic, edge_magic, sizeof edge_magic) == 0, source, ": is no edge file; ", expected);
  CHECK(header.version == edge_version, source, ": is an edge file of version ", header.version,
        "; this program reads version ", edge_version,
        header.version > edge_version ? ": a newer one is needed, or an older export" : ": export the model again");
  CHECK(header.bytes == bytes, source, ": has ", bytes, " bytes, expected ", header.bytes, ", as it says: it is ",
        bytes < header.bytes ? "cut off" : "longer than what was written", "; copy it again");
  CHECK(header.sections <= (bytes - sizeof header) / sizeof(EdgeSection), source, ": says that it has ",
        header.sections, " sections, more than fit into its ", bytes, " bytes: it is damaged");
}

// The section's elements, or nothing where it does not lie within the file.
std::optional<Tensor> tensor_of(const EdgeSection& section, std::span<const std::byte> file,
                                const std::shared_ptr<const void>& owner) {
  if (section.type >= edge_types.size() || section.rank < 1 || section.rank > 4) return std::nullopt;
  if (section.offset % edge_alignment != 0 || section.offset > file.size()) return std::nullopt;
  const DType type = edge_types[section.type];
  const uint64_t room = (file.size() - section.offset) / size_of(type);
  uint64_t elements = 1;
  std::array<int64_t, 4> dims{};
  for (uint32_t i = 0; i < section.rank; ++i) {
    if (section.dims[i] > room || (section.dims[i] > 0 && elements > room / section.dims[i])) return std::nullopt;
    elements *= section.dims[i];
    dims[i] = static_cast<int64_t>(section.dims[i]);
  }
  return Tensor::borrowed(file.data() + section.offset, Shape(std::span(dims.data(), section.rank)), type, owner);
}

}  // namespace

EdgeFile::EdgeFile(const std::filesystem::path& path) : source_(path.string()) {
  const InputFile file(path);
  CHECK(file.size() >= static_cast<int64_t>(sizeof(EdgeHeader)), source_, ": has ", file.size(),
        " bytes and is no edge file; ", expected);
  const auto mapping = std::make_shared<const Mapping>(file);
  owner_ = mapping;
  read({static_cast<const std::byte*>(mapping->memory), mapping->size});
}

EdgeFile::EdgeFile(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, std::string source)
    : source_(std::move(source)), owner_(std::move(owner)) {
  CHECK(bytes.size() >= sizeof(EdgeHeader), source_, ": has ", bytes.size(), " bytes and is no edge file; ", expected);
  if (reinterpret_cast<uintptr_t>(bytes.data()) % edge_alignment != 0) {
    const auto copy = std::make_shared<const Tensor>(Tensor({std::ssize(bytes)}, DType::u8));
    std::copy(bytes.begin(), bytes.end(), copy->raw());
    owner_ = copy;
    bytes = {copy->raw(), bytes.size()};
  }
  read(bytes);
}

bool EdgeFile::is_one(const std::filesystem::path& path) {
  const InputFile file(path);
  std::array<std::byte, sizeof edge_magic> begin{};
  return read_at(file.descriptor(), 0, begin) == std::ssize(begin) &&
         std::memcmp(begin.data(), edge_magic, sizeof edge_magic) == 0;
}

void EdgeFile::read(std::span<const std::byte> bytes) {
  EdgeHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  check(header, bytes.size(), source_);
  const std::span<const std::byte> rest = bytes.subspan(sizeof header);
  CHECK(checksum(rest) == header.checksum, source_,
        ": is damaged: its checksum is not that of its contents; copy it again");
  for (uint32_t i = 0; i < header.sections; ++i) {
    EdgeSection section;
    std::memcpy(&section, rest.data() + i * sizeof section, sizeof section);
    const auto* const end = std::find(std::cbegin(section.name), std::cend(section.name), '\0');
    const std::string name(std::cbegin(section.name), end);
    const std::optional<Tensor> tensor = tensor_of(section, bytes, owner_);
    CHECK(tensor && end != std::cend(section.name), source_, ": section ", i, " ", quoted(name),
          " does not lie within the file: it is damaged");
    CHECK(sections_.emplace(name, *tensor).second, source_, ": has the section ", quoted(name), " twice");
  }
}

Tensor EdgeFile::tensor(const std::string& name, DType type, int rank) const {
  const auto found = sections_.find(name);
  CHECK(found != sections_.end(), source_, ": has no section ", quoted(name), "; ", expected);
  const Tensor& t = found->second;
  CHECK(t.dtype() == type && t.shape().rank() == rank, source_, ": section ", quoted(name), " is ", name_of(t.dtype()),
        t.shape(), ", expected ", name_of(type), " with ", rank, rank == 1 ? " dimension" : " dimensions");
  used_.insert(name);
  return t;
}

std::vector<int32_t> EdgeFile::integers(const std::string& name) const {
  const Tensor t = tensor(name, DType::i32, 1);
  return {t.data<int32_t>(), t.data<int32_t>() + t.size()};
}

std::vector<std::string> EdgeFile::texts(const std::string& name) const {
  const Tensor t = tensor(name, DType::u8, 1);
  const std::string_view all(reinterpret_cast<const char*>(t.raw()), static_cast<size_t>(t.size()));
  CHECK(all.empty() || all.back() == '\0', source_, ": the last text of section ", quoted(name), " has no end");
  std::vector<std::string> texts;
  for (size_t begin = 0; begin < all.size(); begin += texts.back().size() + 1)
    texts.emplace_back(all.substr(begin, all.find('\0', begin) - begin));
  return texts;
}

void EdgeFile::check_all_used() const {
  for (const auto& [name, tensor] : sections_)
    CHECK(used_.contains(name), source_, ": has the section ", quoted(name),
          ", which this program does not know; a newer one may");
}

}  // namespace espalier
