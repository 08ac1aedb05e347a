// SPDX-License-Identifier: Apache-2.0
// The command line of distillation: --distill.* of train_sst2, and without the prefix that of distill.
#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "compress/distillation/distiller.h"
#include "data/text/augment.h"

namespace espalier {

struct DistillFlags {
  DistillOptions options;
  std::vector<std::string> teachers;  // none: no distillation
  std::string student_layers;         // of the model to start from; empty: all
  std::string precision = "auto";     // of the teachers
  std::string cache;                  // file with the teachers' logits; empty: one beside the output
  bool keep_states = false;           // the teacher's hidden states too
  std::string unlabelled;             // TSV with more sentences
  AugmentOptions augment = {.copies = 0};

  // Options named --<prefix>temperature and so on; without a prefix, --teacher is required.
  void declare(CLI::App& app, const std::string& prefix);
  bool on() const { return !teachers.empty(); }

  // Throws for a value out of range, naming the option, and for options without a teacher.
  void check() const;
  nlohmann::json effective() const;

  // Of a model with so many layers: "first:N", "second" (every second one, from 0) or numbers such as "0,2,4".
  std::vector<int64_t> layers_of(int64_t layers) const;

 private:
  std::string prefix_;
  std::vector<CLI::Option*> declared_;  // those that need a teacher
};

}  // namespace espalier
