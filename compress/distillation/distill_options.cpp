// SPDX-License-Identifier: Apache-2.0
#include "compress/distillation/distill_options.h"

namespace espalier {

bool DistillOptions::looks_inside() const {
  return hidden_weight > 0 || attention_weight > 0 || relation_weight > 0 || embedding_weight > 0;
}

void DistillOptions::declare(Options& rows) {
  const std::string prefix = "--" + rows.group().prefix;
  const auto is_for = [&](const std::string& what) { return "is for " + prefix + what + ", which is 0"; };
  const auto hidden = [this] { return hidden_weight > 0; };
  rows.add("temperature", temperature, "divides the logits of both in the soft loss")
      .positive()
      .only_if([this] { return alpha > 0; }, is_for("alpha"));
  rows.add("alpha", alpha, "weight of the soft loss, 0 to 1; the hard loss has the rest")
      .between(0, 1, "a share from 0 (hard loss only) to 1 (soft only)");
  auto hard_row = rows.add("hard-weight", hard_weight, "weight of the hard loss; default: 1 - alpha");
  hard_row.no_default().range(
      [this, &row = hard_row.option()] { return !row.given || (hard_weight >= 0 && hard_weight < 1e300); },
      "0 or a positive number is expected");
  rows.rule([this, prefix] {
    CHECK(hard() > 0 || alpha > 0 || looks_inside(), prefix, "alpha and ", prefix,
          "hard-weight are 0, and nothing else is compared; expected a weight for what is to be learned");
  });
  rows.add("hidden-weight", hidden_weight, "weight of the difference of hidden states, layer by layer").not_negative();
  rows.add("hidden-loss", hidden_loss, "mse or cosine; a learned projection stands between different widths")
      .only_if(hidden, is_for("hidden-weight"));
  rows.add("attention-weight", attention_weight, "weight of the difference of attention, layer by layer")
      .not_negative();
  rows.add("attention-loss", attention_loss, "kl (of probabilities) or mse (of scores)")
      .only_if([this] { return attention_weight > 0; }, is_for("attention-weight"));
  rows.add("relation-weight", relation_weight,
           "weight of the last layer's relations: how queries, keys and values resemble each other (MiniLMv2)")
      .not_negative();
  rows.add("relation-heads", relation_heads, "heads that these relations are taken in; 0: the teacher's")
      .at_least(0)
      .only_if([this] { return relation_weight > 0; }, is_for("relation-weight"));
  rows.add("embedding-weight", embedding_weight, "weight of the difference of the embeddings").not_negative();
  rows.add("layer-map", layer_map,
           "which teacher layer each student layer is compared with: uniform (of 3 and 6: 0:1,1:3,2:5), last "
           "(0:3,1:4,2:5), or pairs student:teacher")
      .only_if([this] { return hidden_weight > 0 || attention_weight > 0; },
               is_for("hidden-weight or attention-weight"));
  rows.add("projection-rate", projection_rate, "learning rate of these projections")
      .positive()
      .only_if([this] { return hidden_weight > 0 || embedding_weight > 0; },
               is_for("hidden-weight or embedding-weight"));
}

void DistillOptions::check(const std::string& prefix) const {
  DistillOptions copy;
  Options rows;
  rows.begin({.prefix = prefix});
  copy.declare(rows);
  copy = *this;
  rows.check_values();
}

void DistillationOptions::declare(Options& rows) {
  const std::string prefix = "--" + rows.group().prefix;
  auto teacher = rows.add("teacher", teachers,
                          "the model to learn from: a checkpoint or a Hugging Face directory with the student's "
                          "vocabulary and labels; several: the mean of their logits");
  teacher.is_switch().by_content();
  if (rows.group().prefix.empty()) teacher.required();  // a program that distils, and nothing else
  rows.add("student-layers", student_layers,
           "train these layers only of the model to start from: first:N, second (every second one: 0, 2, …) or "
           "numbers such as 0,2,4")
      .is_switch();
  loss.declare(rows);
  rows.add("teacher-precision", precision, "of the teacher's products; an int8 teacher stays int8");
  rows.add("cache", cache,
           "file that keeps the teacher's logits for all sentences, made if missing; default: teacher-….h5 beside the "
           "output, named by teacher and text")
      .free();
  rows.flag("keep-states", keep_states,
            "keep what else is compared (hidden states; queries, keys and values) in a file, too: epochs after the "
            "first cost the student alone, on the disk 1.5 GB for each million tokens, layer and 384 units; false: "
            "computed for each batch")
      .only_if([this] { return loss.looks_inside(); },
               "nothing but logits is compared; give a weight to hidden states, attention or relations");
  rows.add("unlabelled", unlabelled, "TSV with more sentences, learned from with the soft loss only").by_content();
  rows.add("augment", augment.copies,
           "copies of each training sentence with words left out or masked, as unlabelled text")
      .range([this] { return augment.copies >= 0; }, "0 or a positive number is expected");
  const auto augments = [this] { return augment.copies > 0; };
  const std::string why = "is for " + prefix + "augment, which is 0";
  rows.add("augment-drop", augment.drop, "probability that a word is left out").only_if(augments, why);
  rows.add("augment-mask", augment.masked, "probability that a word becomes [MASK]").only_if(augments, why);
  rows.rule([this, prefix] { augment.check(prefix); });
}

}  // namespace espalier
