// SPDX-License-Identifier: Apache-2.0
// FileLock: what a program holds from its start to its end on a file that it will write, so that of two programs with
// one output the second refuses. The system releases it when a process is killed.
#pragma once

#include <filesystem>

namespace espalier {

class FileLock {
 public:
  FileLock() = default;  // holds nothing
  // Makes and locks TARGET.lock; a symbolic link to the file and the file itself have the same. Throws Error where
  // another process holds it, where the target cannot be written (see output_path), and where something that is no
  // lock has that name.
  explicit FileLock(const std::filesystem::path& target);
  ~FileLock() { release(); }
  FileLock(FileLock&& other) noexcept { *this = std::move(other); }
  FileLock& operator=(FileLock&& other) noexcept;

  bool left_behind() const { return left_behind_; }  // its file was there: the process that held it was killed

 private:
  void release();  // and removes the file

  std::filesystem::path path_;
  int file_ = -1;
  bool left_behind_ = false;
};

}  // namespace espalier
