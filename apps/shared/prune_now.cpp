// SPDX-License-Identifier: Apache-2.0
#include "apps/shared/prune_now.h"

#include "apps/shared/program.h"
#include "compress/cutting/layers.h"
#include "compress/cutting/shrink.h"

namespace espalier {

std::string prune_now(const PruneFlags& flags, const CalibrationFlags& calibration, const CommonOptions& common,
                      std::unique_ptr<Model>& model, nlohmann::json& figures) {
  require_f32(*model, "pruning");
  Pruner pruner(flags.options);
  pruner.attach(*model->bert, model->store);
  const double before = pruner.sparsity();
  if (flags.options.learns())
    calibrate(pruner, *model, calibration, common, true);
  else
    pruner.before_forward(0);
  bake_masks(model->store);
  nlohmann::json how = flags.effective();
  if (flags.options.learns()) how.update(calibration.effective());
  std::string done = pruner.describe() + format("; %.4f %% of these parameters are zero", 100 * pruner.sparsity()) +
                     (before > 0 ? format(", %.4f %% were before\n", 100 * before) : "\n");
  if (flags.options.structure == "layer") {
    const std::vector<int64_t> left = layers_left(*model);
    figures["layers_left"] = how["layers-left"] = left;
    done += "left are the layers " + nlohmann::json(left).dump() + ", counted from 0 again\n";
    model = keep_layers(*model, left);
  }
  model->options["pruned"].push_back(how);
  return done;
}

std::string shrink_now(std::unique_ptr<Model>& model) {
  const int64_t parameters = model->store.count();
  model = shrink(*model);
  return model->store.count() < parameters ? "" : "shrink: nothing to cut, no head or neuron is zero as a whole\n";
}

}  // namespace espalier
