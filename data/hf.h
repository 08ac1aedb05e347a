// SPDX-License-Identifier: Apache-2.0
// Hugging Face model directories: config.json and the weights in model.safetensors, one file or several. The tokenizer
// of such a directory is WordPiece::from_directory. Used by data/model_source; the config also by data/checkpoint.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "nn/config.h"
#include "nn/parameter.h"

namespace espalier {

// config.json's fields; those that it does not mention keep BertConfig's values, those that do not matter here are
// skipped. Throws Error, beginning with `source`, for a model that is not a BERT encoder with exact GELU and absolute
// positions, and for values that are wrong.
BertConfig config_from_json(const nlohmann::json& json, const std::string& source);
nlohmann::json config_to_json(
    const BertConfig& config);  // as transformers writes it, for BertForSequenceClassification
BertConfig read_config(const std::filesystem::path& directory);

// What became of a model's parameters and of a file's tensors. Names are in order.
struct LoadReport {
  int64_t loaded = 0;                    // parameters that got their values from the file
  std::vector<std::string> initialised;  // parameters that keep their initial values: classifier, pooler
  std::vector<std::string> ignored;      // tensors of the file without a place in the model: other heads, buffers
  std::vector<std::string> unexpected;   // the same, but of unknown purpose; worth a warning

  std::string text() const;  // "199 tensors loaded; classifier.bias, classifier.weight start from …": one line
};

// Loads model.safetensors, or the files that model.safetensors.index.json names, over the store's values. Takes names
// with and without `bert.` and `module.`, and gamma and beta for a layer norm's weight and bias. Throws one Error that
// lists all missing and mis-shaped tensors.
LoadReport load_hf_weights(const std::filesystem::path& directory, ParameterStore& store);

// Writes config.json and model.safetensors for transformers' BertForSequenceClassification into a folder that exists.
void save_hf_model(const std::filesystem::path& directory, const BertConfig& config, const ParameterStore& store);

}  // namespace espalier
