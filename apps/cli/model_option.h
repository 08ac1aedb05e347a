// SPDX-License-Identifier: Apache-2.0
// The model that a program works on: --model and --vocab, as most programs take them.
#pragma once

#include <memory>
#include <string>

#include "apps/cli/program.h"
#include "data/models/model_source.h"

namespace espalier {

struct ModelOption {
  std::string source, vocab;

  // Required unless there is a default.
  void declare(Options& rows, bool positional = false);
  // Throws for a head that is not trained, unless that does not matter (OpenOptions::may_start_head).
  std::unique_ptr<Model> open(const CommonOptions& common, bool may_start_head = false) const;
  // For a program that only answers with it, see OpenOptions::for_inference.
  std::unique_ptr<Model> open_for_inference(const CommonOptions& common) const;
};

// For a program that answers with the model: says which parameters were initialised instead of loaded.
void say_what_is_initialised(const Model& model, const CommonOptions& common);

}  // namespace espalier
