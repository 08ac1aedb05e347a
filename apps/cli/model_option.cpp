// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/model_option.h"

namespace espalier {

void ModelOption::declare(Options& rows, bool positional) {
  const bool has_default = !source.empty();
  auto model = rows.add("model", source, "checkpoint FILE.h5, Hugging Face directory or random:SIZE");
  if (!has_default) model.required();
  if (positional) model.positional();
  rows.add("vocab", vocab, "vocab.txt, or a directory that train_vocab has written, for random:* models");
}

std::unique_ptr<Model> ModelOption::open(const CommonOptions& common, bool may_start_head) const {
  return open_model(
      source,
      {.seed = common.seed, .vocabulary = vocab, .may_start_head = may_start_head, .listener = common.listener()});
}

std::unique_ptr<Model> ModelOption::open_for_inference(const CommonOptions& common) const {
  return open_model(source,
                    {.seed = common.seed, .vocabulary = vocab, .for_inference = true, .listener = common.listener()});
}

void say_what_is_initialised(const Model& model, const CommonOptions& common) {
  if (!model.report.initialised.empty()) common.listener().say(model.report.text());
}

}  // namespace espalier
