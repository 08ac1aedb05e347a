// SPDX-License-Identifier: Apache-2.0
// What is pruned as a whole: single weights, N of M weights along the input, blocks, attention heads, feed-forward
// neurons. A Pool holds one layer's units; scores of weights are summed to scores of units, and the chosen units become
// masks again. Used by the Pruner.
#pragma once

#include <iosfwd>
#include <span>
#include <string>
#include <vector>

#include "compress/pruning/criteria/criterion.h"
#include "compress/pruning/ranking.h"
#include "core/option_value.h"
#include "nn/bert.h"
#include "nn/mask.h"

namespace espalier {

struct Structure {
  enum class Kind { weight, n_of_m, block, head, neuron, layer };
  Kind kind = Kind::weight;
  int64_t n = 1, m = 1;        // n of m consecutive weights of a row are kept
  int64_t rows = 1, cols = 1;  // of a block

  Structure() = default;
  // weight, 2:4 (any N:M), block:32x32 (any RxC), head, neuron or layer; throws listing these.
  Structure(const std::string& text);
  Structure(const char* text) : Structure(std::string(text)) {}
  std::string text() const;      // the same again
  std::string describe() const;  // "weights", "2 of 4 weights along the input", …
  bool fixed_amount() const { return kind == Kind::n_of_m; }
  double amount() const { return 1 - static_cast<double>(n) / static_cast<double>(m); }  // of N:M
};

std::ostream& operator<<(std::ostream& out, const Structure& structure);
template <>
struct OptionValue<Structure> {
  static bool read(const std::string& text, Structure& value) { return value = Structure(text), true; }
  static std::string expected() { return "units are expected"; }
  static constexpr const char* type = "UNITS";
};

// One matrix or bias of a pool. Its blocks of rows x cols elements, counted row by row, are its share of the units.
struct Member {
  Parameter* parameter;
  int64_t rows, cols;      // of a block
  bool scored;             // biases are masked with their unit, but have no say
  int64_t first_unit = 0;  // unit of the first block
};

struct Pool {
  std::string name;
  int64_t units;
  std::vector<Member> members;

  // Sums of the scores of a unit's weights that are not pruned yet; pruned_already where none is left. `held` are the
  // masks that stay, one per member.
  std::vector<float> unit_scores(const Criterion& criterion, std::span<const Tensor> held) const;

  int64_t scored_weights() const;  // of each unit

  // Bits of one member's mask: its kept units, without what `held` drops.
  static Tensor member_bits(const Member& member, std::span<const uint8_t> keep, const Tensor& held);
};

// The pools of a model, by name. A pattern is a parameter's name with * for any text; none: all of the encoder's linear
// layers. A pool of heads or neurons is taken if a pattern matches one of its matrices. Throws for a pattern that
// matches nothing, and where blocks or N:M do not divide a shape.
std::vector<Pool> pools_of(const Structure& structure, const std::vector<std::string>& patterns, const Bert& model,
                           ParameterStore& store);

}  // namespace espalier
