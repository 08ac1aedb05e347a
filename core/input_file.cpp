// SPDX-License-Identifier: Apache-2.0
#include "core/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/check.h"

namespace espalier {
namespace {

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

}  // namespace

InputFile::InputFile(const std::filesystem::path& path) : path_(path.string()) {
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);  // a pipe that nobody writes must not block
  CHECK(descriptor_ >= 0, path_, ": cannot be opened: ", std::strerror(errno));
  struct stat status {};
  const bool known = ::fstat(descriptor_, &status) == 0;
  if (known && S_ISREG(status.st_mode)) {
    size_ = static_cast<int64_t>(status.st_size);
    return;
  }
  const std::string problem = known ? std::string("is ") + kind_of(status.st_mode) + "; expected a file"
                                    : std::string("cannot be read: ") + std::strerror(errno);
  ::close(descriptor_);
  fail(path_, ": ", problem);
}

InputFile::~InputFile() { ::close(descriptor_); }

int64_t read_at(int descriptor, int64_t first, std::span<std::byte> to) {
  int64_t done = 0;
  while (done < std::ssize(to)) {
    const ssize_t n = ::pread(descriptor, to.data() + done, to.size() - static_cast<size_t>(done), first + done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    done += n;
  }
  return done;
}

void InputFile::read(int64_t first, std::span<std::byte> to) const {
  const int64_t n = read_at(descriptor_, first, to);
  CHECK(n >= 0, path_, ": cannot be read: ", std::strerror(errno));
  CHECK(n == std::ssize(to), path_, ": ends at byte ", first + n, ", ", std::ssize(to) - n,
        " bytes early; it is cut off");
}

std::string read_file(const std::filesystem::path& path, int64_t largest) {
  const InputFile file(path);
  CHECK(file.size() <= largest, path.string(), ": has ", file.size(), " bytes; at most ", largest, " are read");
  std::string text(static_cast<size_t>(file.size()), '\0');
  file.read(0, std::as_writable_bytes(std::span(text)));
  return text;
}

}  // namespace espalier
