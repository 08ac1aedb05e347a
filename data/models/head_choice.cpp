// SPDX-License-Identifier: Apache-2.0
#include "data/models/head_choice.h"

#include <algorithm>
#include <set>

#include "core/check.h"
#include "core/format.h"
#include "core/quoted.h"
#include "data/text/class_names.h"
#include "nn/heads/heads.h"

namespace espalier {
namespace {

using NameList = std::vector<std::string>;

void check_names(const NameList& labels) {
  const std::set<std::string> distinct(labels.begin(), labels.end());
  CHECK(distinct.size() == labels.size(), "labels: a name is given twice; expected different names");
  CHECK(!distinct.contains(""), "labels: a name is empty; expected a name for each class");
}

// Some of the names.
std::string brief(const NameList& labels) { return listed(labels, 8); }

// A name of the trained head at the place of another class.
void refuse_swapped(const NameList& own, const NameList& wanted, const std::string& source) {
  for (size_t i = 0; i < wanted.size(); ++i) {
    const auto same = std::ranges::find_if(own, [&](const std::string& name) { return equal_names(name, wanted[i]); });
    CHECK(same == own.end() || same - own.begin() == static_cast<int64_t>(i) || equal_names(own[i], wanted[i]), source,
          ": --labels has ", quoted(wanted[i]), " as class ", i, ", the model as class ", same - own.begin(),
          "; expected the model's order (", brief(own),
          "): leave --labels out, and number the data so or write names into its label column");
  }
}

// What of the head for `task` the one for `wanted` has no place for.
std::string left_over(const std::string& task, const std::string& wanted) {
  if (!is_pretraining(task)) return "its classifier.bias and classifier.weight are not used";
  return is_pretraining(wanted) ? "its decoder of masked words is kept" : "of that, cls.* is not used";
}

}  // namespace

HeadChoice choose_head(BertConfig& config, const HeadInFile& head, const OpenOptions& options,
                       const std::string& source) {
  const std::string task = config.head;
  // A head of pre-training gives way to any task on labelled text.
  const bool gives_way = is_pretraining(task) && !options.head && (options.new_task || options.labels);
  const bool known_task = head.names_task || is_pretraining(task) || (options.head && is_pretraining(*options.head));
  const bool other_task = gives_way || (options.head && known_task && *options.head != task);
  const bool trained = head.trained && !other_task;
  CHECK(trained || options.may_start_head, source, ": ", head.trained ? "its head is for " + task : head.missing,
        "; an answer would be random: train one first, with train --model ", source);
  const NameList own = config.labels;
  HeadChoice choice{.new_classifier = !trained};
  std::string from = "from the model";
  if (gives_way) config.head = BertConfig{}.head;
  if (options.head) config.head = *options.head;
  if (options.labels) {
    config.labels = *options.labels;
    from = "from --labels";
  } else if (!trained && options.new_task) {
    const Task wanted = options.new_task(config);
    config.head = wanted.head;
    config.labels = wanted.labels;
    from = wanted.from;
  }
  if (head.trained && other_task)
    choice.why_new =
        "new head for " + config.head + ": the model's is for " + task + "; " + left_over(task, config.head);
  check_names(config.labels);
  if (!head.names_task && !options.head && config.head == "regression" && config.classes() > 1)
    config.head = BertConfig{}.head;
  if (trained && config.labels.size() != own.size()) {
    CHECK(options.may_start_head, source, ": its head is for ", own.size(), " labels (", brief(own), "), and ",
          config.labels.size(), " are wanted; train a new one first, with train_sst2 --model ", source);
    choice.new_classifier = true;
    choice.why_new = "new head for " + std::to_string(config.labels.size()) + " labels: the model's has " +
                     std::to_string(own.size()) + " (" + brief(own) +
                     "), whose classifier.bias and classifier.weight are not used";
  } else if (trained && config.labels != own) {
    refuse_swapped(own, config.labels, source);
    from += "; they replace the model's " + brief(own);
  }
  choice.labels = brief(config.labels) + " (" + from + ")";
  return choice;
}

}  // namespace espalier
