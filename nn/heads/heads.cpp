// SPDX-License-Identifier: Apache-2.0
#include "nn/heads/heads.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/check.h"
#include "core/quoted.h"
#include "nn/heads/classification.h"
#include "nn/heads/multi_label.h"
#include "nn/heads/pretraining.h"
#include "nn/heads/regression.h"

namespace espalier {
namespace {

template <class T>
std::unique_ptr<Head> make(ParameterStore& store, const Encoder& encoder) {
  return std::make_unique<T>(store, encoder);
}

template <Pretraining::Pairs pairs>
std::unique_ptr<Head> make_pretraining(ParameterStore& store, const Encoder& encoder) {
  return std::make_unique<Pretraining>(store, encoder, pairs);
}

constexpr std::array<HeadRow, 5> table = {
    {{"classification", "single_label_classification", LabelForm::one_class, make<Classification>},
     {"regression", "regression", LabelForm::numbers, make<Regression>},
     {"multi-label", "multi_label_classification", LabelForm::classes, make<MultiLabel>},
     {"pre-training", "", LabelForm::one_class, make_pretraining<Pretraining::Pairs::predicted>, "BertForPreTraining"},
     {"masked-words", "", LabelForm::one_class, make_pretraining<Pretraining::Pairs::none>, "BertForMaskedLM"}}};

const HeadRow& find(const char* HeadRow::*column, const std::string& wanted, const std::string& what) {
  std::string names;
  for (const HeadRow& row : table) {
    if (std::string_view(row.*column).empty()) continue;
    if (row.*column == wanted) return row;
    names += (names.empty() ? "" : ", ") + std::string(row.*column);
  }
  fail(what, " is ", quoted(wanted), ", expected one of ", names);
}

}  // namespace

const HeadRow* head_of_class(const std::string& class_name) {
  const auto* const row =
      std::ranges::find_if(table, [&](const HeadRow& r) { return *r.class_name != 0 && class_name == r.class_name; });
  return row == table.end() ? nullptr : row;
}

const HeadRow& head_named(const std::string& name, const std::string& source) {
  return find(&HeadRow::name, name, source + ": head");
}

bool is_pretraining(const std::string& name) { return *head_named(name, "model").class_name != 0; }

const HeadRow& head_of_problem(const std::string& problem_type, const std::string& source) {
  return find(&HeadRow::problem_type, problem_type, source + ": problem_type");
}

}  // namespace espalier
