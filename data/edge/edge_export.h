// SPDX-License-Identifier: Apache-2.0
// A model as one edge file, for the runtime that phones and browsers use. Used by the program export.
#pragma once

#include <filesystem>

#include "data/models/exported.h"
#include "data/models/model_source.h"

namespace espalier {

// Writes weights, tokenizer and labels. The integers of int8 models stay, zero blocks are left
// out, masks are baked in; all else is f32. Throws Error, naming it, for what the runtime cannot compute: a head that
// is not one of nn/heads, and inputs that are transformed. The file appears whole or not at all.
Exported export_edge(const Model& model, const std::filesystem::path& path);

}  // namespace espalier
