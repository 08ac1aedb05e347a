// SPDX-License-Identifier: Apache-2.0
// A model as a Hugging Face directory that needs nothing else. Used by the program export.
#pragma once

#include <filesystem>
#include <string>

#include "data/models/exported.h"
#include "data/models/model_source.h"
#include "nn/config.h"

namespace espalier {

// Why the class of transformers for whole sentences cannot have these shapes, with the first layer that it fails at;
// empty where it can. It knows one intermediate_size and heads of hidden_size / num_attention_heads each.
std::string obstacle_in_transformers(const BertConfig& config);

// Writes model.safetensors and the files of model_files. open_model(directory) gives the same parameters and token ids,
// bit by bit, the labels, and the simplest configuration of these shapes; the layers' own shapes are config.json's
// pruned_layers. Int8 weights become the f32 numbers that they stand for; quantization.json then keeps their scales and
// the grids of their inputs. Options and masks of a checkpoint are not kept, its zeros are. The files are written to
// DIRECTORY.part, which is renamed in the end; that of a killed run is taken over. Throws Error for a directory that
// exists and is not empty, for tokens that vocab.txt cannot hold, and where the directory cannot be made; Failure where
// it cannot be completed. Nothing is left of it then.
Exported export_hf(const Model& model, const std::filesystem::path& directory);

// Throws Error unless the directory's vocab.txt is the one that export_hf wrote with the weights; a directory of others
// passes. For who is about to read that file.
void check_exported_vocabulary(const std::filesystem::path& directory);

}  // namespace espalier
