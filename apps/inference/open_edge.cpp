// SPDX-License-Identifier: Apache-2.0
#include "apps/inference/edge_classifier.h"
#include "apps/inference/handle.h"
#include "core/check.h"

namespace espalier {

espalier_classifier open_edge(const EdgeFile& file, const SourceOptions& options) {
  CHECK(options.precision != Precision::bf16, file.source(),
        ": edge files are computed in f32 and int8; expected precision ESPALIER_F32 or ESPALIER_AUTO");
  const auto model = std::make_shared<const EdgeClassifier>(file, options.max_length);
  return {.model = model,
          .classify = [&m = *model](std::span<const Text> texts) { return m.classify(texts); },
          .tokenizer = &model->model().tokenizer(),
          .task = model->model().task(),
          .labels = model->model().labels(),
          .max_length = model->max_length()};
}

}  // namespace espalier
