// SPDX-License-Identifier: Apache-2.0
// Which head a model gets when it is opened: its own, its own with other names, or a new one. Used by
// data/models/model_source.
#pragma once

#include <string>

#include "data/models/model_source.h"

namespace espalier {

struct HeadChoice {
  bool new_classifier = false;  // the file's, if it has one, is not taken
  std::string labels = {};      // the classes, and who named them
  std::string why_new = {};     // where a trained head gives way
};

// What the file has.
struct HeadInFile {
  bool trained = false;      // a whole head
  bool names_task = true;    // else the task follows from the number of labels
  std::string missing = {};  // why there is none, for the error: "holds a BertModel, which has no …"
};

// Decides from the options and puts task and labels into the configuration. Throws Error where a head must be trained
// and is not, and for names in another order than the trained head's: its answers would be swapped.
HeadChoice choose_head(BertConfig& config, const HeadInFile& head, const OpenOptions& options,
                       const std::string& source);

}  // namespace espalier
