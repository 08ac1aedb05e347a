// SPDX-License-Identifier: Apache-2.0
// Classifier: a model that answers. Text in; label and probabilities out. It owns the model and never changes it, so
// any number of threads share one. Used by predict, evaluate and report, by espalier.h and by programs of one's own.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/inference/answer_texts.h"
#include "apps/inference/max_length.h"
#include "core/listener.h"
#include "core/products/precision.h"
#include "data/models/model_source.h"

namespace espalier {

struct ClassifierOptions {
  Precision precision = Precision::f32;  // of the encoder's products
  MaxLength max_length = {};             // longer texts and pairs are cut
  Listener listener = {};                // warned of what has no effect in the source
};

class Classifier {
 public:
  // Opens a checkpoint FILE.h5, a Hugging Face directory or random:SIZE. Several threads may open at once. Throws as
  // open_model does, and for a max_length that the model has no positions for. The files are not needed afterwards.
  explicit Classifier(const std::string& source, const ClassifierOptions& options = {});
  // Takes a model that is open.
  explicit Classifier(std::unique_ptr<Model> model, const ClassifierOptions& options = {});

  // The answer for one text or pair. Its bits depend on nothing but the text and the model: not on what is asked beside
  // it or on the number of threads. A request that is alone uses all threads of the pool; when others come, each keeps
  // to its own thread (see threads() in core/parallel.h). Throws Error for a head whose logits belong to tokens.
  Answer classify(const Text& text) const;
  Answer classify(std::string_view text) const { return classify(Text{text}); }
  Answer classify(std::string_view first, std::string_view second) const { return classify(Text{first, second}); }
  // The same answers for many, in their order, at full speed.
  std::vector<Answer> classify(std::span<const Text> texts) const;

  const std::vector<std::string>& labels() const { return model_->bert->head().labels(); }
  const Model& model() const { return *model_; }
  const ChosenPrecision& precision() const { return precision_; }
  int max_length() const { return max_length_; }

 private:
  std::unique_ptr<Model> model_;
  ChosenPrecision precision_;
  int max_length_;
};

}  // namespace espalier
