// SPDX-License-Identifier: Apache-2.0
// How a checkpoint stores a tensor: whole (dense), or where it has many zeros as a bitmap and the other values
// (sparse). Both give back the same bits. Used by data/models/checkpoint.
#pragma once

#include <string>

#include "core/hdf5/file.h"

namespace espalier {

// An f32 tensor under `name` with the attribute "encoding":
//   dense   a dataset of its shape
//   sparse  a group with an attribute "shape" ("384 1536"), "bitmap" u8[(n + 7) / 8], in which bit i % 8 of byte i / 8
//           tells that element i is stored, and "values" f32[stored], in order. Only +0 is left out.
// Sparse is chosen where it is smaller.
void write_tensor(const Hdf5Group& group, const std::string& name, const Tensor& tensor);

// Errors name the object in the file, also for what does not fit together in it.
Shape tensor_shape(const Hdf5Group& group, const std::string& name);
void read_tensor_into(const Hdf5Group& group, const std::string& name, const Tensor& to);

// The dataset "bitmap" of such a group, for a tensor of this shape.
Tensor read_bitmap(const Hdf5Group& parts, const Shape& shape);

// The attribute "shape": numbers with spaces between.
std::string shape_text(const Shape& shape);
Shape shape_attribute(const Hdf5Group& group, const std::string& name);

struct StoredTensor {
  std::string encoding;
  int64_t bytes = 0;  // of the data, without HDF5's own
};
StoredTensor stored_tensor(const Hdf5Group& group, const std::string& name);

}  // namespace espalier
