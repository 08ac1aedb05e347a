// SPDX-License-Identifier: Apache-2.0
// The small files of a Hugging Face directory: config.json and those of the tokenizer. Used by the exports.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "data/models/model_source.h"

namespace espalier {

// The same shapes in the fewest fields: a width that all layers share becomes intermediate_size, heads that are all
// there are not listed. What differs between layers stays in layer_heads and layer_intermediate.
BertConfig simplest(BertConfig config);

// Text by name: config.json, to which `more` is added, and tokenizer_files().
std::map<std::string, std::string> model_files(const Model& model, const nlohmann::json& more);

// Whether an export writes a file or a folder of that name into its directory.
bool is_exported_file(const std::string& name);

}  // namespace espalier
