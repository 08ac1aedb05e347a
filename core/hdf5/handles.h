// SPDX-License-Identifier: Apache-2.0
// What the parts of core/hdf5/file share: identifiers that close themselves, and a group's insides. Not for others.
#pragma once

#include <hdf5.h>

#include <string>
#include <utility>

#include "core/check.h"
#include "core/hdf5/driver.h"

namespace espalier {

// An HDF5 identifier and what closes it.
class Hdf5Id {
 public:
  using Close = herr_t (*)(hid_t);
  Hdf5Id(hid_t id, Close close) : id_(id), close_(close) {}
  Hdf5Id(Hdf5Id&& other) noexcept : id_(other.release()), close_(other.close_) {}
  Hdf5Id& operator=(Hdf5Id&&) = delete;
  ~Hdf5Id() {
    if (id_ >= 0) close_(id_);
  }
  operator hid_t() const { return id_; }
  hid_t release() { return std::exchange(id_, H5I_INVALID_HID); }

 private:
  hid_t id_;
  Close close_;
};

// A group of an open file.
struct Hdf5Node {
  Hdf5Id id;
  std::string file, path;  // path ends with a slash
  uint64_t file_size;      // bytes; no dataset may claim more
  const Hdf5Access* access;

  // Throws unless there is such a child, by a hard link: soft and external ones could lead anywhere.
  void find(const std::string& name) const;
  void check_new(const std::string& name) const;
  void check_name(const std::string& name) const;
  Hdf5Id open_dataset(const std::string& name) const;
  bool has_link(const std::string& name) const;
  // Throws unless `count` elements of `size` bytes fit into the file and are stored in one piece.
  void check_stored(hid_t dataset, const std::string& where, uint64_t count, uint64_t size) const;
};

// Creation properties of a group, dataset or file: without time stamps, which would make equal files differ.
inline Hdf5Id creation_properties(hid_t kind) {
  Hdf5Id properties(H5Pcreate(kind), H5Pclose);
  H5Pset_obj_track_times(properties, false);
  return properties;
}

}  // namespace espalier
