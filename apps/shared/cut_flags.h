// SPDX-License-Identifier: Apache-2.0
// The command line of what prune cuts out as it is told: whole layers, and vocabulary rows that a text never uses.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "data/models/model_source.h"

namespace espalier {

struct CutFlags {
  std::vector<int64_t> keep_layers, drop_layers;  // one of them; counted as in the model that is opened
  std::vector<std::filesystem::path> vocabulary;  // texts
  int64_t least = 1;

  void declare(CLI::App& app);
  bool names_layers() const { return !keep_layers.empty() || !drop_layers.empty(); }
  bool on() const { return names_layers() || !vocabulary.empty(); }

  // Cuts the model and notes the flags among its options. Returns what was done, a line for each; figures of the
  // vocabulary are added to the object.
  std::string apply(std::unique_ptr<Model>& model, nlohmann::json& figures) const;
};

}  // namespace espalier
