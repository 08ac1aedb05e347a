// SPDX-License-Identifier: Apache-2.0
// A model as a Hugging Face directory that needs nothing else: config.json, model.safetensors, vocab.txt and
// tokenizer_config.json. Used by the program export.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "data/models/model_source.h"
#include "nn/config.h"

namespace espalier {

// The same shapes in the fewest fields: a width that all layers share becomes intermediate_size, heads that are all
// there are not listed. What differs between layers stays in layer_heads and layer_intermediate.
BertConfig simplest(BertConfig config);

// Why BertForSequenceClassification of transformers cannot have these shapes, with the first layer that it fails at;
// empty where it can. It knows one intermediate_size and heads of hidden_size / num_attention_heads each.
std::string obstacle_in_transformers(const BertConfig& config);

// Writes the four files and returns their bytes. open_model(directory) gives the same parameters and token ids, bit by
// bit, the labels, and the simplest configuration of these shapes; the layers' own shapes are config.json's
// pruned_layers. Options and masks of a checkpoint are not kept, its zeros are. The files are written to
// DIRECTORY.part, which is renamed in the end; that of a killed run is taken over. Throws Error for int8 weights, for a
// directory that exists and is not empty, for tokens that vocab.txt cannot hold, and where the directory cannot be
// made; Failure where it cannot be completed. Nothing is left of it then.
int64_t export_hf(const Model& model, const std::filesystem::path& directory);

// Throws Error unless the directory's vocab.txt is the one that export_hf wrote with the weights; a directory of others
// passes. For who is about to read that file.
void check_exported_vocabulary(const std::filesystem::path& directory);

}  // namespace espalier
