// SPDX-License-Identifier: Apache-2.0
// The model that a program works on: --model and --vocab, as most programs take them.
#pragma once

#include <memory>

#include "apps/shared/program.h"
#include "data/models/model_source.h"

namespace espalier {

struct ModelFlags {
  std::string source, vocab;

  // Required unless there is a default. A positional argument has a name without dashes.
  void declare(CLI::App& app, const std::string& name = "--model") {
    CLI::Option* const model =
        app.add_option(name, source, "checkpoint FILE.h5, Hugging Face directory or random:SIZE");
    if (source.empty())
      model->required();
    else
      model->capture_default_str();
    app.add_option("--vocab", vocab, "vocab.txt for random:* models");
  }
  std::unique_ptr<Model> open(const CommonOptions& common) const {
    return open_model(source, {.seed = common.seed, .vocabulary = vocab});
  }
};

}  // namespace espalier
