// SPDX-License-Identifier: Apache-2.0
// EdgeFile: an edge file that was opened and checked; its sections are read where they lie. Used by edge models.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace espalier {

class EdgeFile {
 public:
  // Maps the file. It must not be cut while it is used: that would end the process.
  explicit EdgeFile(const std::filesystem::path& path);
  // The bytes of such a file, which live as long as `owner`; `source` begins the texts of errors. Bytes that do not lie
  // at a multiple of 64 are copied.
  EdgeFile(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, std::string source);
  // Both throw Error for what is no edge file, a newer version, a file that is cut or longer than it says, and a
  // checksum that differs.

  static bool is_one(const std::filesystem::path& path);  // by its first bytes

  bool has(const std::string& name) const { return sections_.contains(name); }
  bool has(const std::string& name, DType type) const { return has(name) && sections_.at(name).dtype() == type; }
  // Throws Error where the section is missing or has another type or rank. The elements are the file's.
  Tensor tensor(const std::string& name, DType type, int rank) const;
  std::vector<int32_t> integers(const std::string& name) const;   // i32[n]
  std::vector<std::string> texts(const std::string& name) const;  // u8[n]: each ends with a NUL
  // Throws Error, naming it, for a section that nobody has asked for: without it the answers might be others.
  void check_all_used() const;

  const std::map<std::string, Tensor>& sections() const { return sections_; }
  const std::string& source() const { return source_; }

 private:
  void read(std::span<const std::byte> bytes);

  std::string source_;
  std::shared_ptr<const void> owner_;
  std::map<std::string, Tensor> sections_;
  mutable std::set<std::string> used_;
};

}  // namespace espalier
