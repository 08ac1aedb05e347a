// SPDX-License-Identifier: Apache-2.0
// A folder that appears under its name complete or not at all, as AtomicFile is for one file. Used by what writes
// several files that belong together.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace espalier {

class AtomicFolder {
 public:
  // Makes target.part beside the target, locked and empty: what a killed run left there is removed, but only files and
  // folders that `ours` knows by name. Throws where there are others, where the target is a file or a folder that is
  // not empty, and where another process writes.
  AtomicFolder(const std::filesystem::path& target, const std::function<bool(const std::string& name)>& ours);
  ~AtomicFolder();  // removes what was not committed
  AtomicFolder(const AtomicFolder&) = delete;
  AtomicFolder& operator=(const AtomicFolder&) = delete;

  const std::filesystem::path& temporary() const { return temporary_; }  // to write into
  std::filesystem::path make(const std::string& folder) const;           // a folder in it; throws where that fails
  int64_t bytes() const;                                                 // of all files that are there now
  void commit();  // gives the folder its name; throws Failure where that fails

 private:
  void check_target() const;

  std::string name_;  // as the caller says it
  std::filesystem::path target_, temporary_;
  int folder_ = -1;
};

}  // namespace espalier
