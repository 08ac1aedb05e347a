// SPDX-License-Identifier: Apache-2.0
// The types of elements in files of other frameworks, by the names that safetensors gives them, and real numbers of
// them. Used by data/models/safetensors and data/models/torch_file.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/input_file.h"

namespace espalier {

int64_t element_bytes(const std::string& type);  // 0: there is no such type

// Reads elements of type F32, F16, BF16 or F64 from byte `first` on, by several threads, and returns the checksum of
// their bytes, see checksum_in_pieces. Throws Error, beginning with `what`, for other types.
uint64_t read_reals(const InputFile& file, const std::string& type, int64_t first, std::span<float> to,
                    const std::string& what);

}  // namespace espalier
