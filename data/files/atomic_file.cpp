// SPDX-License-Identifier: Apache-2.0
#include "data/files/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <system_error>

#include "core/check.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

// Where a symbolic link leads: the link stays, its target is replaced.
fs::path follow(const fs::path& path) {
  std::error_code error;
  return fs::is_symlink(path, error) ? fs::weakly_canonical(path) : path;
}

fs::path folder_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

// Whether the open file still goes by that name: another process may have renamed it in between.
bool is_named(int file, const fs::path& path) {
  struct stat opened {
  }, named{};
  return ::fstat(file, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

}  // namespace

AtomicFile::AtomicFile(const fs::path& target) : target_(follow(target)), temporary_(target_) {
  std::error_code ignored;
  temporary_ += ".part";
  CHECK(!fs::is_directory(target_, ignored), target.string(), ": is a directory; expected a file to write");
  CHECK(!fs::exists(target_, ignored) || fs::is_regular_file(target_, ignored), target.string(),
        ": is a device or pipe, which cannot be replaced by a file; expected the name of a file to write");
  CHECK(fs::is_directory(folder_of(target_), ignored), target.string(), ": cannot be written: there is no folder ",
        folder_of(target_).string());
  for (bool ready = false; !ready; ready = is_named(file_, temporary_)) {
    if (file_ >= 0) ::close(file_);
    file_ = ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    CHECK(file_ >= 0, target.string(), ": cannot be written: ", std::strerror(errno));
    struct flock lock {};
    lock.l_type = F_WRLCK;
    if (::fcntl(file_, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES)) continue;
    ::close(file_);
    fail(target.string(), ": another process is writing it now (", temporary_.string(), ")");
  }
  if (::ftruncate(file_, 0) != 0) give_up("cannot be written");
}

AtomicFile::~AtomicFile() {
  if (file_ < 0) return;
  ::unlink(temporary_.c_str());
  ::close(file_);
}

void AtomicFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(file_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) give_up("cannot be written");
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

void AtomicFile::commit() {
  if (::fsync(file_) != 0) give_up("cannot be flushed to the disk");
  if (std::rename(temporary_.c_str(), target_.c_str()) != 0) give_up("cannot be replaced");
  ::close(file_);
  file_ = -1;
  const int folder = ::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  (void)::fsync(folder);  // the new name; some file systems refuse, the file is complete all the same
  ::close(folder);
}

void AtomicFile::give_up(const char* action) const {
  throw Failure(target_.string() + ": " + action + ": " + std::strerror(errno));
}

void write_file(const fs::path& target, std::string_view bytes) {
  AtomicFile file(target);
  file.write(bytes);
  file.commit();
}

}  // namespace espalier
