// SPDX-License-Identifier: Apache-2.0
// MaxLength: how many tokens of a sentence or pair count, with [CLS] and [SEP], as --max-length or a program of one's
// own says it.
#pragma once

#include <iosfwd>

#include "apps/inference/default_length.h"
#include "core/option_value.h"

namespace espalier {

class MaxLength {
 public:
  MaxLength() = default;
  MaxLength(int tokens) : tokens_(tokens), given_as_("max_length") {}

  // For a model with so many positions: what was given, or else 128, or all positions where these are fewer. Throws,
  // with both numbers, unless 3 … positions were given.
  int of(int64_t positions) const;

  static bool read(const std::string& text, MaxLength& value);
  int tokens() const { return tokens_; }
  void set(int tokens) { tokens_ = tokens; }

 private:
  int tokens_ = default_length;
  const char* given_as_ = nullptr;  // by that name; null: not given
};

std::ostream& operator<<(std::ostream& out, const MaxLength& value);
Record option_record(const MaxLength& value);

template <>
struct OptionValue<MaxLength> {
  static bool read(const std::string& text, MaxLength& value) { return MaxLength::read(text, value); }
  static std::string expected() { return OptionValue<int>::expected(); }
  static constexpr const char* type = "INT";
};

}  // namespace espalier
