// SPDX-License-Identifier: Apache-2.0
// Answer: what the logits of one sentence or pair say, in words and numbers. Used by the heads, and by edge models,
// which have no heads.
#pragma once

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace espalier {

struct Answer {
  std::string label = {};  // a class's name; several with commas between, or none; a number or words as text
  double probability = std::numeric_limits<double>::quiet_NaN();  // of that label; NaN where it is not one class
  std::vector<double> probabilities = {};                         // of each of Head::labels(); empty: there are none
  std::optional<std::vector<std::string>> chosen = {};            // for tasks that choose any number of classes
  std::vector<double> values = {};                                // for tasks whose answer is numbers
  std::vector<float> logits = {};                                 // where Classifier or EdgeModel answers
};

// logits[C] of C labels.
using AnswerOf = Answer (*)(std::span<const float> logits, const std::vector<std::string>& labels);
Answer answer_by_class(std::span<const float> logits, const std::vector<std::string>& labels);    // one: softmax
Answer answer_by_classes(std::span<const float> logits, const std::vector<std::string>& labels);  // any: sigmoids
Answer answer_by_numbers(std::span<const float> logits, const std::vector<std::string>& labels);  // as they are

// Of a task, by its name in nn/heads/heads; null for one that has another form of answer.
AnswerOf answer_of_task(const std::string& task);

}  // namespace espalier
