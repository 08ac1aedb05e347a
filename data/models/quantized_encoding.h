// SPDX-License-Identifier: Apache-2.0
// How a checkpoint stores the integers of a quantized weight. Used by data/models/checkpoint.
#pragma once

#include <memory>
#include <string>

#include "core/hdf5/file.h"
#include "core/products/quantized_weight.h"

namespace espalier {

// A group under `name` with the attributes "encoding" (int8, or int4 for up to 4 bits), "shape", "bits" and "products"
// (true, or false for a table), and
//   values       s8[stored], or u8[(stored + 1) / 2] with two numbers a byte, the first one low, as two's complement
//   bitmap       only where it makes the group smaller: as tensor_encoding's, of the numbers that are not zero; without
//                it all are stored
//   scales       f32[rows]
//   input_grid   f32[4]: scale, zero point, low, high of the input; missing for dynamic and tables
void write_quantized(const Hdf5Group& group, const std::string& name, const QuantizedWeight& weight);

bool is_quantized(const Hdf5Group& group, const std::string& name);
Shape quantized_shape(const Hdf5Group& group, const std::string& name);

// Errors name the object in the file, also for numbers outside the grid and for what does not fit together.
std::shared_ptr<const QuantizedWeight> read_quantized(const Hdf5Group& group, const std::string& name);

}  // namespace espalier
