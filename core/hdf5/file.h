// SPDX-License-Identifier: Apache-2.0
// HDF5 files as groups of named tensors and texts; the only header through which the project reads and writes HDF5. The
// HDF5 library is not thread-safe: all of this is for one thread at a time. Used by data/models/checkpoint.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace espalier {

// A group of an open file; copies are handles of the same group. Names are single path components. Every function
// throws Error, with the file's and the object's name, for what is not there, has another type or shape, or cannot be
// read or written.
struct Hdf5Node;  // core/hdf5/handles.h

class Hdf5Group {
 public:
  Hdf5Group create_group(const std::string& name) const;
  Hdf5Group group(const std::string& name) const;
  bool contains(const std::string& name) const;
  std::vector<std::string> names() const;  // of the groups and datasets in it, sorted

  // A dataset of the tensor's type and shape; bf16 is stored as u16 with an attribute that says so.
  void write(const std::string& name, const Tensor& values) const;
  Tensor read(const std::string& name) const;
  void read_into(const std::string& name, const Tensor& to) const;  // the same type and shape

  // The same in parts: a dataset whose rows (of its first dimension) are written, and read, some at a time.
  void create(const std::string& name, DType type, const Shape& shape) const;
  void write_rows(const std::string& name, int64_t first, const Tensor& rows) const;
  void read_rows(const std::string& name, int64_t first, const Tensor& to) const;

  struct Info {
    DType type;
    Shape shape;
  };
  Info info(const std::string& name) const;

  // A text in UTF-8, such as JSON: one string of fixed length. Reading also takes bytes, which earlier versions wrote.
  void write_text(const std::string& name, std::string_view text) const;
  std::string read_text(const std::string& name) const;

  // A list of texts, such as a vocabulary: an array of strings of the same length, padded with NUL, or of variable
  // length where that is smaller. No text may hold a NUL. Reading also takes bytes, with a text a line.
  void write_texts(const std::string& name, const std::vector<std::string>& texts) const;
  std::vector<std::string> read_texts(const std::string& name) const;

  // A short text (under 64 KB) at the group or dataset `name` in this group; "." is the group itself.
  void set_attribute(const std::string& name, const std::string& key, const std::string& text) const;
  std::string attribute(const std::string& name, const std::string& key) const;
  bool has_attribute(const std::string& name, const std::string& key) const;

  std::string where(const std::string& name) const;  // "model.h5: /weights/NAME", for messages

 private:
  friend class Hdf5File;
  explicit Hdf5Group(std::shared_ptr<const Hdf5Node> handle) : handle_(std::move(handle)) {}
  std::shared_ptr<const Hdf5Node> handle_;
};

// Whether the file begins as HDF5 files do. Throws Error where it cannot be read.
bool begins_as_hdf5(const std::filesystem::path& path);

class Hdf5File {
 public:
  // A new, empty file; equal writes in equal order give equal bytes. Errors speak of `shown_as`, for a file that is
  // renamed once it is complete.
  static Hdf5File create(const std::filesystem::path& path, const std::string& shown_as);
  static Hdf5File open(const std::filesystem::path& path);  // read-only
  Hdf5File(Hdf5File&&) noexcept;
  ~Hdf5File();  // closes, without a word about errors

  const Hdf5Group& root() const { return root_; }
  void close();  // writes what is pending; throws Failure where that fails. No group may be used afterwards.

 private:
  struct Handle;
  Hdf5File(std::unique_ptr<Handle> handle, Hdf5Group root);
  std::unique_ptr<Handle> handle_;
  Hdf5Group root_;
};

}  // namespace espalier
