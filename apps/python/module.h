// SPDX-License-Identifier: Apache-2.0
// What the sources of the Python module share.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <mutex>
#include <vector>

#include "core/tensor.h"

namespace espalier::python {

namespace nb = nanobind;

// Taken without the GIL by whoever reads or writes files: HDF5 serves one thread at a time.
inline std::mutex& files() {
  static std::mutex mutex;
  return mutex;
}

// A NumPy array on the tensor's own memory, which it keeps. T: as NumPy sees the elements.
template <class T>
nb::ndarray<nb::numpy, const T> array_of(const Tensor& tensor) {
  auto* const kept = new Tensor(tensor);
  const nb::capsule owner(kept, [](void* t) noexcept { delete static_cast<Tensor*>(t); });
  const auto dims = tensor.shape().dims();
  const std::vector<size_t> shape(dims.begin(), dims.end());
  return {reinterpret_cast<const T*>(kept->raw()), shape.size(), shape.data(), owner};
}

void add_checkpoint(nb::module_& module);  // Checkpoint, read and convert

}  // namespace espalier::python
