// SPDX-License-Identifier: Apache-2.0
#include "data/files/atomic_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

#include "core/check.h"
#include "core/disk_error.h"
#include "data/files/atomic_file.h"
#include "data/files/output_path.h"

namespace espalier {

namespace fs = std::filesystem;

AtomicFolder::AtomicFolder(const fs::path& target, const std::function<bool(const std::string&)>& ours)
    : name_(target.string()) {
  std::error_code ignored;
  refuse_dangling_link(target);
  target_ = fs::weakly_canonical(target, ignored);
  if (!target_.has_filename()) target_ = target_.parent_path();  // after a slash at the end
  check_target();
  temporary_ = target_;
  temporary_ += ".part";
  if (::mkdir(temporary_.c_str(), 0777) != 0 && errno != EEXIST) refuse_writing(name_ + ": cannot be made", errno);
  folder_ = ::open(temporary_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  CHECK(folder_ >= 0, temporary_.string(), ": cannot be opened as a directory: ", std::strerror(errno));
  try {
    CHECK(::flock(folder_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK, name_,
          ": another process is writing it now (", temporary_.string(), ")");
    for (const auto& entry : fs::recursive_directory_iterator(temporary_)) {
      CHECK(ours(temporary_of(entry.path().filename().string())), temporary_.string(), ": holds ",
            entry.path().filename().string(), ", which no export wrote; it is needed for a moment, so move it away");
    }
    for (const auto& entry : fs::directory_iterator(temporary_)) fs::remove_all(entry.path(), ignored);
  } catch (...) {
    ::close(folder_);
    throw;
  }
}

AtomicFolder::~AtomicFolder() {
  if (folder_ < 0) return;
  std::error_code ignored;
  fs::remove_all(temporary_, ignored);
  ::close(folder_);
}

void AtomicFolder::check_target() const {
  std::error_code ignored;
  CHECK(target_.has_filename(), "'", name_, "': the name of a directory to write is expected");
  if (fs::exists(target_, ignored)) {
    CHECK(fs::is_directory(target_, ignored), name_, ": is a file; expected the name of a directory to write");
    CHECK(fs::is_empty(target_, ignored), name_, ": is a directory with files in it; expected a new or empty one");
  }
  const fs::path parent = folder_of(target_);
  CHECK(fs::is_directory(parent, ignored), name_, ": cannot be made: there is no folder ", parent.string());
}

fs::path AtomicFolder::make(const std::string& folder) const {
  fs::path made = temporary_ / folder;
  if (::mkdir(made.c_str(), 0777) != 0) refuse_writing((fs::path(name_) / folder).string() + ": cannot be made", errno);
  return made;
}

int64_t AtomicFolder::bytes() const {
  int64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(temporary_))
    if (entry.is_regular_file()) bytes += static_cast<int64_t>(entry.file_size());
  return bytes;
}

void AtomicFolder::commit() {
  const auto give_up = [&](const char* action) { throw Failure(name_ + ": " + action + ": " + std::strerror(errno)); };
  if (::fsync(folder_) != 0 && errno != EINVAL) give_up("cannot be flushed to the disk");
  if (std::rename(temporary_.c_str(), target_.c_str()) != 0) give_up("cannot be given its name");
  ::close(folder_);
  folder_ = -1;
  const int above = ::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (above < 0) return;
  (void)::fsync(above);  // the new name; some file systems refuse, the files are complete all the same
  ::close(above);
}

}  // namespace espalier
