// SPDX-License-Identifier: Apache-2.0
// A file with something of everything, for the tests of core/hdf5.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>

#include "core/hdf5/file.h"

namespace espalier {

template <class T>
Tensor counting(const Shape& shape) {
  Tensor t(shape, dtype_of<T>());
  for (int64_t i = 0; i < t.size(); ++i) t.data<T>()[i] = T(static_cast<float>(i % 100 - 20));
  return t;
}

inline bool same(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() && std::equal(a.raw(), a.raw() + a.bytes(), b.raw());
}

inline void write_sample(const std::filesystem::path& path) {
  Hdf5File file = Hdf5File::create(path, path.string());
  file.root().set_attribute(".", "format", "sample");
  file.root().write_text("text", "one\ntwo");
  file.root().write_texts("list", {"one", "two"});
  const Hdf5Group weights = file.root().create_group("weights");
  for (int i = 0; i < 20; ++i) {  // more than fit into a group's header
    const std::string name = "layer." + std::to_string(i) + ".weight";
    weights.write(name, counting<float>({3, i}));
    weights.set_attribute(name, "encoding", "dense");
  }
  file.close();
}

// Reads everything that the file holds; returns how many objects there were.
inline int read_all(const Hdf5Group& group) {
  int count = 0;
  for (const std::string& name : group.names()) {
    ++count;
    if (name == "weights") {
      count += read_all(group.group(name));
    } else if (name == "text") {
      group.read_text(name);
    } else if (name == "list") {
      group.read_texts(name);
    } else {
      group.read(name);
      if (group.has_attribute(name, "encoding")) group.attribute(name, "encoding");
    }
  }
  return count;
}

}  // namespace espalier
