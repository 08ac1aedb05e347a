// SPDX-License-Identifier: Apache-2.0
// The table of heads: the tasks that a model can be made for. Used by Bert and by what reads and writes config.json.
#pragma once

#include <string>

#include "nn/heads/head.h"

namespace espalier {

struct HeadRow {
  const char* name;          // BertConfig::head
  const char* problem_type;  // of config.json: which loss that class has, and what its logits mean; "": it has none
  LabelForm labels;
  MakeHead make;
  const char* class_name = "";  // of transformers, for BERT; "": ArchitectureRow::classifier
};

// Throws Error, listing the names that there are; `source` begins the text.
const HeadRow& head_named(const std::string& name, const std::string& source);
const HeadRow& head_of_problem(const std::string& problem_type, const std::string& source);
const HeadRow* head_of_class(const std::string& class_name);  // by HeadRow::class_name; null: no such row
bool is_pretraining(const std::string& name);                 // it learns from plain text: nn/heads/pretraining

}  // namespace espalier
