// SPDX-License-Identifier: Apache-2.0
#include "nn/heads/heads.h"

#include <array>

#include "core/check.h"
#include "core/quoted.h"
#include "nn/heads/classification.h"
#include "nn/heads/multi_label.h"
#include "nn/heads/regression.h"

namespace espalier {
namespace {

template <class T>
std::unique_ptr<Head> make(ParameterStore& store, const Encoder& encoder) {
  return std::make_unique<T>(store, encoder);
}

constexpr std::array<HeadRow, 3> table = {
    {{"classification", "single_label_classification", LabelForm::one_class, make<Classification>},
     {"regression", "regression", LabelForm::numbers, make<Regression>},
     {"multi-label", "multi_label_classification", LabelForm::classes, make<MultiLabel>}}};

const HeadRow& find(const char* HeadRow::*column, const std::string& wanted, const std::string& what) {
  std::string names;
  for (const HeadRow& row : table) {
    if (row.*column == wanted) return row;
    names += (names.empty() ? "" : ", ") + std::string(row.*column);
  }
  fail(what, " is ", quoted(wanted), ", expected one of ", names);
}

}  // namespace

const HeadRow& head_named(const std::string& name, const std::string& source) {
  return find(&HeadRow::name, name, source + ": head");
}

const HeadRow& head_of_problem(const std::string& problem_type, const std::string& source) {
  return find(&HeadRow::problem_type, problem_type, source + ": problem_type");
}

}  // namespace espalier
