// SPDX-License-Identifier: Apache-2.0
// The table of architectures: what transformers calls the classes, tensors and fields of each encoder. Used by what
// reads and writes Hugging Face directories.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nn/config.h"

namespace espalier {

struct Renamed {
  std::string_view own, theirs;
};

struct ArchitectureRow {
  std::string_view model_type;             // of config.json
  std::string_view prefix;                 // of the encoder's tensors: "roberta."
  std::string_view classifier;             // the class for whole sentences, whose head is ours
  std::vector<std::string_view> classes;   // all of its classes whose encoder can be read
  std::vector<Renamed> tensors;            // how names begin that differ from ours; # is a layer's number
  std::vector<Renamed> fields;             // of config.json that differ from BERT's; "": there is none
  std::vector<std::string_view> harmless;  // further fields, which change nothing here
  BertConfig defaults;                     // of transformers' configuration
};

const ArchitectureRow& row_of(Architecture architecture);
// Throws Error, listing the types that there are; `source` begins the text.
Architecture architecture_of(const std::string& model_type, const std::string& source);

// The name that transformers gives a parameter: bert.encoder.layer.0.output.dense.weight is DistilBERT's
// distilbert.transformer.layer.0.ffn.lin2.weight.
std::string name_in_transformers(Architecture architecture, const std::string& own);
// What config.json calls a field of BERT's; "": it has none.
std::string_view field_in_transformers(Architecture architecture, std::string_view own);

}  // namespace espalier
