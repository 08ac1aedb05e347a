// SPDX-License-Identifier: Apache-2.0
#include "data/files/mapped_scratch.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "core/check.h"

namespace espalier {
namespace {

// On a disk: /tmp is memory on many machines.
std::filesystem::path scratch_folder() {
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/var/tmp";
}

[[noreturn]] void scratch_failed(const char* what, int error) {
  fail(scratch_folder().string(), ": a temporary file ", what, ": ", std::strerror(error),
       "; expected room for the tokens of the text: name another folder in $TMPDIR, or raise --data-memory");
}

}  // namespace

MappedScratch::MappedScratch() {
  std::string name = (scratch_folder() / "espalier.XXXXXX").string();
  descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor_ < 0) scratch_failed("cannot be made", errno);
  ::unlink(name.c_str());
}

MappedScratch::~MappedScratch() {
  if (data_ != nullptr) ::munmap(data_, mapped_);
  ::close(descriptor_);
}

void MappedScratch::append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) scratch_failed("cannot be written", count < 0 ? errno : ENOSPC);
    size_ += static_cast<size_t>(count);
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  if (size_ <= mapped_) return;
  // More than there is, which nobody reads, so that the mapping moves seldom.
  const size_t wanted = std::max(2 * mapped_, (size_ + (size_t{1} << 20)) >> 20 << 20);
  void* const moved = data_ == nullptr ? ::mmap(nullptr, wanted, PROT_READ, MAP_SHARED, descriptor_, 0)
                                       : ::mremap(data_, mapped_, wanted, MREMAP_MAYMOVE);
  if (moved == MAP_FAILED) scratch_failed("cannot be mapped", errno);
  data_ = static_cast<std::byte*>(moved);
  mapped_ = wanted;
}

}  // namespace espalier
