// SPDX-License-Identifier: Apache-2.0
// Cutting: a smaller model made of pieces of another one's tensors, masks and integers included. What shrink,
// keep_layers and keep_tokens have in common; each of them only says which pieces.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/models/model_source.h"

namespace espalier {

using Indices = std::vector<int64_t>;
Indices all_of(int64_t n);  // 0 … n - 1

// Rows and columns of a parameter, in this order; nothing said: all of them. The elements of a vector are its rows.
struct CutPart {
  std::string from;  // the parameter's name
  std::optional<Indices> rows = {}, cols = {};
};
using CutParts = std::map<std::string, CutPart>;  // by the name of the parameter that they become

// A model of this configuration and tokenizer. What no piece is given for is copied from the parameter of the same
// name. Its masks are those of the pieces, where they still drop something; an int8 model stays one; the run's options
// and the source are the same. Throws for a piece of the wrong size.
std::unique_ptr<Model> cut(const Model& model, const BertConfig& config, const Tokenizer& tokenizer,
                           const CutParts& pieces);

}  // namespace espalier
