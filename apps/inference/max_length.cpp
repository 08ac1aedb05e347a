// SPDX-License-Identifier: Apache-2.0
#include "apps/inference/max_length.h"

#include <algorithm>
#include <ostream>

#include "core/check.h"

namespace espalier {

int MaxLength::of(int64_t positions) const {
  if (given_as_ == nullptr) return static_cast<int>(std::min<int64_t>(tokens_, positions));
  CHECK(tokens_ >= 3 && tokens_ <= positions, given_as_, " ", tokens_, ": expected 3 … ", positions,
        ", the model's number of positions");
  return tokens_;
}

bool MaxLength::read(const std::string& text, MaxLength& value) {
  value.given_as_ = "--max-length";
  return OptionValue<int>::read(text, value.tokens_);
}

std::ostream& operator<<(std::ostream& out, const MaxLength& value) { return out << value.tokens(); }
Record option_record(const MaxLength& value) { return value.tokens(); }

}  // namespace espalier
