// SPDX-License-Identifier: Apache-2.0
// What loading a model's weights tells: the report where it went well, all problems at once where it did not. Made by
// data/models/hf and data/models/checkpoint, shown by the programs.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/shape.h"

namespace espalier {

// What became of a model's parameters and of a file's tensors. Names are in order.
struct LoadReport {
  int64_t loaded = 0;                            // parameters that got their values from the file
  std::vector<std::string> initialised = {};     // parameters that start from the seed
  std::vector<std::string> ignored = {};         // tensors that the model has no use for: other heads, buffers
  std::vector<std::string> unexpected = {};      // tensors of unknown purpose, which nothing reads
  std::vector<std::string> unknown_fields = {};  // of config.json, which nothing reads
  int64_t rows_without_token = 0;                // of the word embeddings, behind the last token
  std::string labels = {};                       // the classes, and who named them
  std::string new_head = {};                     // why the head is new, where the file has another one
  std::vector<std::string> notes = {};           // what other files say that is not used, a sentence each

  std::string text() const;     // one line; long lists are cut
  std::string warning() const;  // one line about what has no effect though it may be meant to; empty: nothing
};

// Where a model and a file differ.
struct LoadProblems {
  std::vector<std::string> missing, unexpected, mis_shaped;
  std::vector<std::string> unused;  // tensors that nothing reads: no problem, but they may explain what is missing

  void compare(const std::string& name, std::span<const int64_t> found, const Shape& expected);
  void check(const std::string& source,
             const std::string& conclusion) const;  // throws one Error about all of them; long lists are cut
};

}  // namespace espalier
