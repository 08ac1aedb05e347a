// SPDX-License-Identifier: Apache-2.0
#include "data/files/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/check.h"
#include "data/files/output_path.h"

namespace espalier {

FileLock::FileLock(const std::filesystem::path& target) : path_(output_path(target)) {
  path_ += ".lock";
  const auto refuse = [&](const auto&... why) {
    if (file_ >= 0) ::close(file_);
    fail(target.string(), ": ", why...);
  };
  for (bool ready = false; !ready; ready = is_named(file_, path_)) {  // its holder may remove it in between
    if (file_ >= 0) ::close(file_);
    std::error_code ignored;
    left_behind_ = std::filesystem::exists(path_, ignored);
    file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    if (file_ < 0 && errno == ELOOP) refuse(path_.string(), " is a symbolic link; it is needed for a lock, remove it");
    if (file_ < 0) refuse("cannot be written: ", path_.string(), ": ", std::strerror(errno));
    struct stat found {};
    if (::fstat(file_, &found) != 0 || !S_ISREG(found.st_mode) || found.st_size != 0)
      refuse(path_.string(), " is not empty and no lock of ours; it is needed for one, move it away");
    if (::flock(file_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
      refuse("another process is writing it now (it holds ", path_.string(), "); wait, or choose another output");
  }
}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  if (this == &other) return *this;
  release();
  path_ = std::move(other.path_);
  file_ = std::exchange(other.file_, -1);
  left_behind_ = other.left_behind_;
  return *this;
}

void FileLock::release() {
  if (file_ < 0) return;
  if (is_named(file_, path_)) ::unlink(path_.c_str());
  ::close(file_);
  file_ = -1;
}

}  // namespace espalier
