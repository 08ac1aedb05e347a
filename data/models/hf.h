// SPDX-License-Identifier: Apache-2.0
// Hugging Face model directories: config.json and the weights in model.safetensors, one file or several. The tokenizer
// of such a directory is WordPiece::from_directory. Used by data/models/model_source; the config also by
// data/models/checkpoint and data/models/hf_export, which writes such a directory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "data/models/load_report.h"
#include "nn/config.h"
#include "nn/parameter.h"

namespace espalier {

// config.json's fields; those that it does not mention keep BertConfig's values, those that do not matter here are
// skipped. Throws Error, beginning with `source`, for a model that is not a BERT encoder with exact GELU and absolute
// positions, and for values that are wrong.
BertConfig config_from_json(const nlohmann::json& json, const std::string& source);
BertConfig read_config(const std::filesystem::path& directory);

// As transformers writes it for the architecture of the head.
nlohmann::json config_to_json(const BertConfig& config);

// Lays the store out unless that is done, and loads model.safetensors, or the files that model.safetensors.index.json
// names. Takes names with and without `bert.` and `module.`, and gamma and beta for a layer norm's weight and bias.
// Parameters of the head that are not there are initialised from seed and range. Throws one Error that lists all
// missing tensors of the encoder and all mis-shaped ones, before any memory is used.
LoadReport load_hf_weights(const std::filesystem::path& directory, ParameterStore& store, uint64_t seed,
                           float range = 0.02F);

}  // namespace espalier
