// SPDX-License-Identifier: Apache-2.0
// Values that are named: enumerations, and rows of a table (a criterion, an observer). Text becomes such a value where
// it is read, and nowhere else.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/check.h"
#include "core/format.h"

namespace espalier {

// The names of an enumeration's values, in their order: specialised beside the enumeration, with a member `list`.
template <class E>
struct Names;

template <class E>
std::vector<std::string> names_of() {
  return {std::begin(Names<E>::list), std::end(Names<E>::list)};
}

template <class E>
requires std::is_enum_v<E> std::string text_of(E value) { return Names<E>::list[static_cast<size_t>(value)]; }

// A row of a table of rows, each with a `name` and a `help`. Row::table() lists the rows that come with Espalier.
template <class Row>
class Choice {
 public:
  Choice(Row row) : row_(std::make_shared<const Row>(std::move(row))) {}
  Choice(const std::string& name) : Choice(Row::table(), name) {}
  Choice(const char* name) : Choice(std::string(name)) {}
  Choice(const std::vector<Row>& table, const std::string& name) {  // throws, listing the names
    std::vector<std::string> names;
    for (const Row& row : table) {
      names.push_back(row.name);
      if (row.name == name) row_ = std::make_shared<const Row>(row);
    }
    CHECK(row_ != nullptr, name, ": choose ", words_of(names));
  }

  const Row* operator->() const { return row_.get(); }
  bool operator==(const Choice& other) const { return row_->name == other.row_->name; }

 private:
  std::shared_ptr<const Row> row_;
};

}  // namespace espalier
