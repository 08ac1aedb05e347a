// SPDX-License-Identifier: Apache-2.0
// What prune cuts out as it is told: whole layers, and vocabulary rows that a text never uses.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/options.h"
#include "data/models/model_source.h"

namespace espalier {

struct CutOptions {
  std::vector<int64_t> keep_layers, drop_layers;  // one of them; counted as in the model that is opened
  std::vector<std::filesystem::path> vocabulary;  // texts
  int64_t least = 1;

  void declare(Options& rows);
  bool names_layers() const { return !keep_layers.empty() || !drop_layers.empty(); }
  bool on() const { return names_layers() || !vocabulary.empty(); }

  // Cuts the model. Returns what was done, a line for each; figures of the vocabulary are added to the record.
  std::string apply(std::unique_ptr<Model>& model, Record& figures) const;
};

}  // namespace espalier
