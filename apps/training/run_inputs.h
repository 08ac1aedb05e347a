// SPDX-License-Identifier: Apache-2.0
// What a run learns from, by content: the model it starts from, its data, its teachers. Kept in its checkpoints, so
// that it is resumed with the same, wherever the files are by then.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/record.h"
#include "data/models/model_source.h"
#include "data/text/loader.h"

namespace espalier {

// "2000 sentences of 9822 tokens (0123456789abcdef)": ids, segments and labels decide.
std::string described(const TokenizedDataset& data);
// "4.4 M parameters (0123456789abcdef)": configuration, vocabulary, weights and masks decide.
std::string described(const Model& model);

class RunInputs {
 public:
  RunInputs() = default;
  // Everything that is added is compared with that of the stopped run, which is in `file`.
  RunInputs(const Record& stopped, const std::string& file) : stopped_(stopped), file_(file) {}

  // Throws Error where the stopped run had another one, or none, or where another rank has another one.
  void add(const std::string& name, const std::string& content);
  // To be called behind the last one: throws Error where the stopped run had more.
  void check_complete() const;

  const Record& record() const { return now_; }  // content by name

 private:
  Record now_, stopped_;  // the latter without fields: nothing is compared
  std::string file_;
};

}  // namespace espalier
