// SPDX-License-Identifier: Apache-2.0
#include "apps/shared/distill_flags.h"

#include <sstream>

#include "apps/shared/unread.h"

namespace espalier {

void DistillFlags::declare(CLI::App& app, const std::string& prefix) {
  prefix_ = prefix;
  CLI::Option* const teacher =
      app.add_option("--" + prefix + "teacher", teachers,
                     "the model to learn from: a checkpoint or a Hugging Face directory with the student's vocabulary "
                     "and labels; several: the mean of their logits");
  CLI::Option* const layers =
      app.add_option("--" + prefix + "student-layers", student_layers,
                     "train these layers only of the model to start from: first:N, second (every second one: 0, 2, …) "
                     "or numbers such as 0,2,4");
  const auto add = [&](const char* name, auto& value, const std::string& text) {
    declared_.push_back(app.add_option("--" + prefix + name, value, text)->capture_default_str());
  };
  add("temperature", options.temperature, "divides the logits of both in the soft loss");
  add("alpha", options.alpha, "weight of the soft loss, 0 to 1; the hard loss has the rest");
  add("hidden-weight", options.hidden_weight, "weight of the difference of hidden states, layer by layer");
  add("hidden-loss", options.hidden_loss, "mse or cosine; a learned projection stands between different widths");
  add("attention-weight", options.attention_weight, "weight of the difference of attention, layer by layer");
  add("attention-loss", options.attention_loss, "kl (of probabilities) or mse (of scores)");
  add("relation-weight", options.relation_weight,
      "weight of the last layer's relations: how queries, keys and values resemble each other (MiniLMv2)");
  add("relation-heads", options.relation_heads, "heads that these relations are taken in; 0: the teacher's");
  add("embedding-weight", options.embedding_weight, "weight of the difference of the embeddings");
  add("layer-map", options.layer_map,
      "which teacher layer each student layer is compared with: uniform (of 3 and 6: 0:1,1:3,2:5), last (0:3,1:4,2:5), "
      "or pairs student:teacher");
  add("projection-rate", options.projection_rate, "learning rate of these projections");
  add("teacher-precision", precision, "of the teacher's products: auto, f32 or bf16; an int8 teacher stays int8");
  add("cache", cache,
      "file that keeps the teacher's logits for all sentences, made if missing; default: teacher-….h5 beside the "
      "output, named by teacher and text");
  declared_.push_back(app.add_flag("--" + prefix + "keep-states", keep_states,
                                   "keep what else is compared (hidden states; queries, keys and values) in a file, "
                                   "too: epochs after the first cost the student alone, on the disk 1.5 GB for each "
                                   "million tokens, layer and 384 units; false: computed for each batch"));
  add("unlabelled", unlabelled, "TSV with more sentences, learned from with the soft loss only");
  add("augment", augment.copies, "copies of each training sentence with words left out or masked, as unlabelled text");
  add("augment-drop", augment.drop, "probability that a word is left out");
  add("augment-mask", augment.masked, "probability that a word becomes [MASK]");
  if (prefix.empty()) {
    teacher->required();
  } else {
    for (CLI::Option* option : declared_) option->group("Distillation");
    teacher->group("Distillation");
    layers->group("Distillation");
  }
}

void DistillFlags::check() const {
  refuse_unread(declared_, on(), "nothing is distilled without --" + prefix_ + "teacher");
  options.check("--" + prefix_);
  const auto is_for = [&](const char* name, const char* what, bool read) {
    refuse_unread(declared_, "--" + prefix_ + name, read, "is for --" + prefix_ + what + ", which is 0");
  };
  const bool hidden = options.hidden_weight > 0, attention = options.attention_weight > 0;
  is_for("hidden-loss", "hidden-weight", hidden);
  is_for("attention-loss", "attention-weight", attention);
  is_for("relation-heads", "relation-weight", options.relation_weight > 0);
  is_for("layer-map", "hidden-weight or attention-weight", hidden || attention);
  is_for("projection-rate", "hidden-weight or embedding-weight", hidden || options.embedding_weight > 0);
  is_for("temperature", "alpha", options.alpha > 0);
  is_for("augment-drop", "augment", augment.copies > 0);
  is_for("augment-mask", "augment", augment.copies > 0);
  CHECK(!keep_states || options.looks_inside(), "--", prefix_,
        "keep-states: nothing but logits is compared; give a weight to hidden states, attention or relations");
  CHECK(augment.copies >= 0, "--", prefix_, "augment ", augment.copies, ": 0 or a positive number is expected");
  augment.check("--" + prefix_);
}

nlohmann::json DistillFlags::effective() const {
  return {{"teacher", teachers},
          {"student-layers", student_layers},
          {"temperature", options.temperature},
          {"alpha", options.alpha},
          {"hidden-weight", options.hidden_weight},
          {"hidden-loss", options.hidden_loss},
          {"attention-weight", options.attention_weight},
          {"attention-loss", options.attention_loss},
          {"relation-weight", options.relation_weight},
          {"relation-heads", options.relation_heads},
          {"embedding-weight", options.embedding_weight},
          {"layer-map", options.layer_map},
          {"projection-rate", options.projection_rate},
          {"teacher-precision", precision},
          {"keep-states", keep_states},
          {"unlabelled", unlabelled},
          {"augment", augment.copies},
          {"augment-drop", augment.drop},
          {"augment-mask", augment.masked}};
}

std::vector<int64_t> DistillFlags::layers_of(int64_t layers) const {
  const std::string option = "--" + prefix_ + "student-layers " + student_layers;
  const auto number = [&](const std::string& text) {
    CHECK(!text.empty() && text.size() < 6 && text.find_first_not_of("0123456789") == std::string::npos, option,
          ": expected first:N, second, or numbers such as 0,2,4");
    const int64_t n = std::stol(text);
    CHECK(n < layers, option, ": the model has the layers 0 to ", layers - 1);
    return n;
  };
  std::vector<int64_t> chosen;
  if (student_layers == "second") {
    for (int64_t i = 0; i < layers; i += 2) chosen.push_back(i);
  } else if (student_layers.starts_with("first:")) {
    const std::string text = student_layers.substr(6);
    const int64_t count = text == std::to_string(layers) ? layers : number(text);
    CHECK(count > 0, option, ": at least one layer is expected");
    for (int64_t i = 0; i < count; ++i) chosen.push_back(i);
  } else {
    std::istringstream text(student_layers);
    for (std::string part; std::getline(text, part, ',');) chosen.push_back(number(part));
  }
  return chosen;
}

}  // namespace espalier
