// SPDX-License-Identifier: Apache-2.0
#include "data/edge/edge_writer.h"

#include <algorithm>
#include <cstring>

#include "core/check.h"
#include "core/checksum.h"
#include "core/quoted.h"
#include "data/edge/edge_layout.h"
#include "data/files/atomic_file.h"

namespace espalier {
namespace {

uint32_t type_of(DType type) {
  const auto* const found = std::find(edge_types.begin(), edge_types.end(), type);
  CHECK(found != edge_types.end(), "edge file: ", name_of(type), " has no place in it");
  return static_cast<uint32_t>(found - edge_types.begin());
}

size_t aligned(size_t bytes) { return (bytes + edge_alignment - 1) / edge_alignment * edge_alignment; }

}  // namespace

void EdgeWriter::add(const std::string& name, const Tensor& tensor) {
  CHECK(name.size() < sizeof EdgeSection::name, "edge file: the name ", quoted(name), " has ", name.size(),
        " bytes; expected less than ", sizeof EdgeSection::name);
  sections_.emplace_back(name, tensor);
}

void EdgeWriter::add(const std::string& name, const std::vector<int32_t>& integers) {
  add(name, Tensor::of<int32_t>({std::ssize(integers)}, integers));
}

void EdgeWriter::add(const std::string& name, const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) {
    CHECK(text.find('\0') == std::string::npos, name, ": ", quoted(text), " has a NUL, which an edge file cannot hold");
    all += text + '\0';
  }
  add(name,
      Tensor::of<uint8_t>({std::ssize(all)}, std::span(reinterpret_cast<const uint8_t*>(all.data()), all.size())));
}

int64_t EdgeWriter::write(const std::filesystem::path& path) const {
  std::string body(sections_.size() * sizeof(EdgeSection), '\0');
  for (size_t i = 0; i < sections_.size(); ++i) {
    const auto& [name, tensor] = sections_[i];
    EdgeSection section = {};
    std::copy(name.begin(), name.end(), std::begin(section.name));
    section.type = type_of(tensor.dtype());
    section.rank = static_cast<uint32_t>(tensor.shape().rank());
    std::copy(tensor.shape().dims().begin(), tensor.shape().dims().end(), std::begin(section.dims));
    body.resize(aligned(body.size()));  // the header has 64 bytes
    section.offset = sizeof(EdgeHeader) + body.size();
    std::memcpy(body.data() + i * sizeof section, &section, sizeof section);
    body.append(reinterpret_cast<const char*>(tensor.raw()), tensor.bytes());
  }
  EdgeHeader header = {};
  std::copy(std::begin(edge_magic), std::end(edge_magic), std::begin(header.magic));
  header.version = edge_version;
  header.sections = static_cast<uint32_t>(sections_.size());
  header.bytes = sizeof header + body.size();
  header.checksum = checksum(body);
  AtomicFile file(path);
  file.write({reinterpret_cast<const char*>(&header), sizeof header});
  file.write(body);
  file.commit();
  return static_cast<int64_t>(header.bytes);
}

}  // namespace espalier
