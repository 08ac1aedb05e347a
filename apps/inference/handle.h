// SPDX-License-Identifier: Apache-2.0
// What espalier.h gives out: a model that answers, whatever file it comes from. The C interface is the same code in the
// library for all models and in the runtime for edge files: they differ in open_source alone.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "apps/inference/answer_texts.h"
#include "core/listener.h"
#include "core/products/precision.h"
#include "data/edge/edge_file.h"

struct espalier_classifier {
  std::shared_ptr<const void> model;  // which all of these read
  std::function<std::vector<espalier::Answer>(std::span<const espalier::Text>)> classify;
  const espalier::Tokenizer* tokenizer;
  std::string task;
  std::vector<std::string> labels;
  int max_length;
};

namespace espalier {

struct SourceOptions {
  Precision precision = Precision::f32;
  int max_length = 0;  // 0: the model's own choice
  Listener listener = {};
};

// What a user names by a path. Throws Error where it is no model that this library opens.
espalier_classifier open_source(const std::string& path, const SourceOptions& options);

// Throws for a precision other than f32 or automatic: edge files are computed in f32 and int8.
espalier_classifier open_edge(const EdgeFile& file, const SourceOptions& options);

}  // namespace espalier
