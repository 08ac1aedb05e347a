// SPDX-License-Identifier: Apache-2.0
// Hugging Face model directories: config.json and the weights in model.safetensors or pytorch_model.bin, one file or
// several. The tokenizer of such a directory is Tokenizer::from_directory. Used by data/models/model_source; the config
// also by data/models/checkpoint and data/models/hf_export, which writes such a directory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "data/models/load_report.h"
#include "nn/config.h"
#include "nn/heads/heads.h"
#include "nn/parameter.h"

namespace espalier {

// config.json's fields, of one of the table of architectures; those that it does not mention have transformers' values.
// The head is what `head` or problem_type says; one label without either means regression, as in transformers. Throws
// Error, beginning with `source`, for another model_type or activation, for positions that are not absolute, for every
// field that would change what the model computes, and for values that are wrong.
BertConfig config_from_json(const nlohmann::json& json, const std::string& source);

// What a directory's config.json says.
struct HfConfig {
  BertConfig model;
  std::string class_name;            // transformers', such as BertForMaskedLM; empty: not named
  std::vector<std::string> unknown;  // fields that are neither read nor known to change nothing
  bool names_task = false;           // else the head follows from the number of labels
};
HfConfig read_config(const std::filesystem::path& directory);

// As transformers writes it for the architecture's class for whole sentences.
nlohmann::json config_to_json(const BertConfig& config);

// The weights of a directory: model.safetensors, or the files that model.safetensors.index.json names; where there is
// neither, pytorch_model.bin or the files of its index. Names are the architecture's, with and without its prefix,
// behind any of `module.`, `_orig_mod.` and `model.`, and with gamma and beta for a layer norm's weight and bias.
class HfWeights {
 public:
  // Opens the files. What a class other than ArchitectureRow::classifier calls its classifier is not taken for ours.
  explicit HfWeights(const std::filesystem::path& directory, Architecture architecture = Architecture::bert,
                     const std::string& class_name = "");
  ~HfWeights();

  // The head of ArchitectureRow::classifier is there, or all of BERT's that HeadRow::class_name is the class of.
  bool has_head() const;
  bool has_head(const HeadRow& row) const;
  std::string some_names() const;  // of tensors, for messages: those that may be a head first

  // Lays the store out unless that is done, and reads the values. Parameters of the head that are not there are
  // initialised from seed and range, and so is the classifier if it is to be new. Throws one Error that lists missing
  // tensors of the encoder, mis-shaped ones, and what the files hold instead, before any memory is used; and for a
  // decoder of words that is not the table of word embeddings.
  LoadReport load(ParameterStore& store, uint64_t seed, float range, bool new_classifier = false) const;

 private:
  struct File;
  void check_tied(const Parameter& words) const;

  std::string source_;
  Architecture architecture_;
  bool takes_classifier_;
  std::vector<std::unique_ptr<File>> files_;
};

}  // namespace espalier
