// SPDX-License-Identifier: Apache-2.0
// What is known about the fields of a config.json that no BertConfig holds. Used by data/models/hf_config.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "nn/config.h"

namespace espalier {

// Throws Error, beginning with `source`, for a field that changes what the model computes in a way that is not
// supported here, and for BERT's name of a field that the architecture calls otherwise. `defaults` are those of the
// architecture.
void refuse_other_models(const nlohmann::json& json, const BertConfig& defaults, const std::string& source);

// The fields that are neither read nor known to change nothing, also inside of pruned_layers, in order; and label2id
// where id2label says something else.
std::vector<std::string> unknown_fields(const nlohmann::json& json, Architecture architecture);

}  // namespace espalier
