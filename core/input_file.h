// SPDX-License-Identifier: Apache-2.0
// Files that are read: only regular ones, so that no program waits for a pipe or reads a device without end. Used by
// core/hdf5, data/ and apps/cli for every file that a user names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace espalier {

// An open file. Errors name its path. Not copied, since it closes the file at its end.
class InputFile {
 public:
  // Throws Error where there is no such file, where it cannot be opened, and for a directory, pipe, socket or device.
  explicit InputFile(const std::filesystem::path& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  int64_t size() const { return size_; }  // bytes, when it was opened
  int descriptor() const { return descriptor_; }
  const std::string& path() const { return path_; }

  // Fills `to` from byte `first` on. Throws Error where the file ends before that.
  void read(int64_t first, std::span<std::byte> to) const;

 private:
  std::string path_;
  int descriptor_ = -1;
  int64_t size_ = 0;
};

// Fills `to` from byte `first` on, as far as the file goes, and returns how many bytes that is; -1, with errno, where
// it cannot be read.
int64_t read_at(int descriptor, int64_t first, std::span<std::byte> to);

// The whole file. Throws Error for one of more than `largest` bytes.
std::string read_file(const std::filesystem::path& path, int64_t largest);

}  // namespace espalier
