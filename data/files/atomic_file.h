// SPDX-License-Identifier: Apache-2.0
// AtomicFile: a file that appears under its name complete or not at all. It is written beside its target, flushed to
// the disk and renamed. Used by everything that writes models.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace espalier {

class AtomicFile {
 public:
  // Makes an empty file beside the target with a name that nothing has, such as TARGET.0123456789abcdef.part, and
  // removes those that killed processes left. Throws Error where no file can be written there (see output_path).
  explicit AtomicFile(const std::filesystem::path& target);
  ~AtomicFile();  // removes the temporary file unless it was committed
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

// The name of the file that one of this name is to become; the name itself where it is no temporary one.
std::string temporary_of(const std::string& name);

// The whole of a small file.
void write_file(const std::filesystem::path& target, std::string_view bytes);

}  // namespace espalier
