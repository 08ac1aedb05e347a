// SPDX-License-Identifier: Apache-2.0
// All models: checkpoints, Hugging Face directories and edge files.
#include <system_error>

#include "apps/inference/classifier.h"
#include "apps/inference/handle.h"

namespace espalier {

espalier_classifier open_source(const std::string& path, const SourceOptions& options) {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path, ignored) && EdgeFile::is_one(path))
    return open_edge(EdgeFile(path), options);
  ClassifierOptions o{.precision = options.precision, .listener = options.listener};
  if (options.max_length != 0) o.max_length = options.max_length;
  const auto model = std::make_shared<const Classifier>(path, o);
  return {.model = model,
          .classify = [&m = *model](std::span<const Text> texts) { return m.classify(texts); },
          .tokenizer = &model->model().tokenizer,
          .task = model->model().config.head,
          .labels = model->labels(),
          .max_length = model->max_length()};
}

}  // namespace espalier
