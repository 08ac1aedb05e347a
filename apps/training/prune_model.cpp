// SPDX-License-Identifier: Apache-2.0
#include "apps/training/prune_model.h"

#include "compress/cutting/layers.h"
#include "compress/cutting/shrink.h"
#include "compress/pruning/pruner.h"
#include "core/format.h"

namespace espalier {

std::string prune_model(const PruneOptions& options, const Record& how, const CalibrationOptions& calibration,
                        const Listener& listener, std::unique_ptr<Model>& model, Record& figures) {
  require_f32(*model, "pruning");
  Pruner pruner(options);
  pruner.attach(*model->bert, model->store);
  const double before = pruner.sparsity();
  if (options.learns())
    calibrate(pruner, *model, calibration, true, listener);
  else
    pruner.before_forward(0);
  bake_masks(model->store);
  Record entry = how;
  entry.set("seed", options.seed);
  std::string done = pruner.describe() + format("; %.4f %% of these parameters are zero", 100 * pruner.sparsity()) +
                     (before > 0 ? format(", %.4f %% were before\n", 100 * before) : "\n");
  if (options.structure.kind == Structure::Kind::layer) {
    const std::vector<int64_t> left = layers_left(*model);
    figures.set("layers_left", left);
    entry.set("layers-left", left);
    done += "left are the layers " + Record(left).text() + ", counted from 0 again\n";
    model = keep_layers(*model, left);
  }
  Record all = model->options.at("pruned", Record::list());
  all.append(entry);
  model->options.set("pruned", all);
  return done;
}

std::string shrink_model(std::unique_ptr<Model>& model) {
  const int64_t parameters = model->store.count();
  model = shrink(*model);
  return model->store.count() < parameters ? "" : "shrink: nothing to cut, no head or neuron is zero as a whole\n";
}

}  // namespace espalier
