// SPDX-License-Identifier: Apache-2.0
#include "nn/heads/heads.h"

#include <array>

#include "core/check.h"
#include "nn/heads/classification.h"

namespace espalier {
namespace {

template <class T>
std::unique_ptr<Head> make(ParameterStore& store, const Encoder& encoder) {
  return std::make_unique<T>(store, encoder);
}

constexpr std::array<HeadRow, 1> table = {{{"classification", "BertForSequenceClassification", make<Classification>}}};

}  // namespace

const HeadRow& head_named(const std::string& name, const std::string& source) {
  std::string names;
  for (const HeadRow& row : table) {
    if (row.name == name) return row;
    names += (names.empty() ? "" : ", ") + std::string(row.name);
  }
  fail(source, ": head is '", name, "', expected one of ", names);
}

}  // namespace espalier
