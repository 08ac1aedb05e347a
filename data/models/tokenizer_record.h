// SPDX-License-Identifier: Apache-2.0
// TokenizerOptions as JSON, for checkpoints. Used by data/models/checkpoint.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "data/models/json_fields.h"
#include "data/text/tokenizer_options.h"

namespace espalier {

// All but the merges.
nlohmann::json to_json(const TokenizerOptions& options);

// Fields that earlier versions did not write have their defaults. Throws Error as JsonFields does, and for a kind of
// tokenizer that is unknown.
TokenizerOptions tokenizer_options_of(const JsonFields& fields);

}  // namespace espalier
