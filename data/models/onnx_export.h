// SPDX-License-Identifier: Apache-2.0
// A model as an ONNX file with the files that name its classes and make its tokens. Used by the program export.
#pragma once

#include <cstdint>
#include <filesystem>

#include "data/models/exported.h"
#include "data/models/model_source.h"

namespace espalier {

constexpr int64_t largest_onnx_file = (int64_t{1} << 31) - 1;  // bytes; what libprotobuf can read

// Writes onnx/model.onnx and, beside it, config.json and the tokenizer's files, as AtomicFolder does. The graph has
// opset 17 and standard operators only. Inputs, int64 [batch, length]: input_ids, attention_mask (1, or 0 for padding,
// which stands at the end), token_type_ids where the model has segments; output, f32 [batch, classes]: logits. Int8
// weights stay int8: with a grid for their input it is quantized on that, without one each token is on a grid of its
// own, as here. A model larger than `largest` bytes has its weights in onnx/model.onnx_data. Throws Error for a head
// without an ONNX form, for a model in training, and as export_hf does.
Exported export_onnx(const Model& model, const std::filesystem::path& directory, int64_t largest = largest_onnx_file);

}  // namespace espalier
