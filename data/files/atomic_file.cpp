// SPDX-License-Identifier: Apache-2.0
#include "data/files/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <random>
#include <system_error>

#include "core/check.h"
#include "core/fingerprint.h"
#include "data/files/output_path.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr size_t digits = 16;

// "3f2a…" that no other process chooses.
std::string random_name() {
  std::random_device random;
  Fingerprint f;
  for (int i = 0; i < 4; ++i) f.add(uint64_t{random()});
  return f.text();
}

bool lock(int file) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  return ::fcntl(file, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES);
}

// Removes what killed processes left of this file: regular files with a name as ours that nobody has locked.
void remove_left_behind(const fs::path& target) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder_of(target), ignored)) {
    const std::string name = entry.path().filename().string();
    if (name == target.filename() || temporary_of(name) != target.filename()) continue;
    const int file = ::open(entry.path().c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) continue;
    struct stat found {};
    if (::fstat(file, &found) == 0 && S_ISREG(found.st_mode) && lock(file)) ::unlink(entry.path().c_str());
    ::close(file);
  }
}

}  // namespace

std::string temporary_of(const std::string& name) {
  const std::string end = ".part";
  if (!name.ends_with(end) || name.size() < digits + end.size() + 2) return name;
  const size_t dot = name.size() - end.size() - digits - 1;
  const std::string middle = name.substr(dot + 1, digits);
  return name[dot] == '.' && middle.find_first_not_of("0123456789abcdef") == std::string::npos ? name.substr(0, dot)
                                                                                               : name;
}

AtomicFile::AtomicFile(const fs::path& target) : target_(output_path(target)) {
  remove_left_behind(target_);
  for (bool ready = false; !ready; ready = lock(file_) && is_named(file_, temporary_)) {
    if (file_ >= 0) ::close(file_);
    temporary_ = target_;
    temporary_ += "." + random_name() + ".part";
    file_ = ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    CHECK(file_ >= 0, target.string(), ": cannot be written: ", std::strerror(errno));
  }
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
