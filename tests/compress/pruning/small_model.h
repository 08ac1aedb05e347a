// SPDX-License-Identifier: Apache-2.0
// For tests of pruning: the small Hugging Face model of tests/golden, its logits, and that model pruned.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "compress/pruning/pruner.h"
#include "data/models/model_source.h"
#include "nn/mask.h"

namespace espalier {

inline const std::filesystem::path small_model = std::filesystem::path(ESPALIER_TESTS_DIR) / "golden" / "hf_model";

inline PackedBatch batch_of(const std::vector<int32_t>& ids) {
  PackedBatch batch;
  batch.ids = ids;
  batch.segments.assign(ids.size(), 0);
  batch.offsets = {0, static_cast<int32_t>(ids.size())};
  batch.labels = {1};
  return batch;
}

inline std::vector<float> logits(const Model& model, const std::vector<int32_t>& ids) {
  Context context;
  const Var y = (*model.bert)(batch_of(ids), context);
  const auto values = y.value.span<float>();
  return {values.begin(), values.end()};
}

// Masks of a pruner by options on the small model.
struct Pruned {
  explicit Pruned(const PruneOptions& options) : model(open_model(small_model.string())), pruner(options) {
    pruner.attach(*model->bert, model->store);
    pruner.before_forward(options.schedule.begin);
  }
  const Mask& mask(const std::string& name) const { return mask_of(model->store.at("bert.encoder.layer." + name)); }
  const Parameter& parameter(const std::string& name) const { return model->store.at("bert.encoder.layer." + name); }
  std::unique_ptr<Model> model;
  Pruner pruner;
};

}  // namespace espalier
