// SPDX-License-Identifier: Apache-2.0
// AtomicFile: a file that appears under its name complete or not at all. It is written beside its target, flushed to
// the disk and renamed. Used by everything that writes models.
#pragma once

#include <filesystem>
#include <string_view>

namespace espalier {

class AtomicFile {
 public:
  // Makes an empty TARGET.part and locks it, so that a killed run's is taken over and a running one's is not. Throws
  // Error if the folder is missing or not writable, the target is a folder, or another process writes it now.
  explicit AtomicFile(const std::filesystem::path& target);
  ~AtomicFile();  // removes the .part unless it was committed
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  const std::filesystem::path& temporary() const { return temporary_; }  // to be written to, with any means
  void write(std::string_view bytes);                                    // appends; throws Failure
  void commit();                                                         // flushes, renames; throws Failure

 private:
  [[noreturn]] void give_up(const char* action) const;

  std::filesystem::path target_, temporary_;
  int file_ = -1;
};

// The whole of a small file.
void write_file(const std::filesystem::path& target, std::string_view bytes);

}  // namespace espalier
