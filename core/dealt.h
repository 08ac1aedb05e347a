// SPDX-License-Identifier: Apache-2.0
// Work that the ranks share item by item: item i is that of rank i % ranks(). One process has all of them.
#pragma once

#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

#include "core/ranks.h"

namespace espalier {

inline bool is_own(int64_t item) { return item % ranks() == rank(); }

// What rank 0 says, such as whether a file is there. Called by every rank.
inline bool of_first_rank(bool mine) { return !gather_all(std::string_view(mine ? "yes" : "")).front().empty(); }

// Called by every rank, each with as many numbers: number i becomes that of rank owner(i).
template <class F>
void take_from_owners(std::vector<double>& numbers, const F& owner) {
  const std::vector<double> all = gather_all(numbers);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = all[static_cast<size_t>(owner(i)) * numbers.size() + i];
}

// What was found for each item: numbers, as many as there are.
template <class T>
class Dealt {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  void add(std::span<const T> found) {  // for this rank's next item
    sizes_.push_back(found.size());
    found_.insert(found_.end(), found.begin(), found.end());
  }

  // Called by every rank: of all items, in order. Nothing is left here.
  std::vector<std::vector<T>> gather();

 private:
  std::vector<size_t> sizes_;
  std::vector<T> found_;
};

template <class T>
std::vector<std::vector<T>> Dealt<T>::gather() {
  const auto text = [](const auto& v) {
    return std::string_view(reinterpret_cast<const char*>(v.data()), v.size() * sizeof(v[0]));
  };
  const std::vector<std::string> sizes = gather_all(text(sizes_)), found = gather_all(text(found_));
  sizes_.clear();
  found_.clear();
  std::vector<size_t> at(found.size());  // bytes of each rank that are done
  std::vector<std::vector<T>> all;
  for (size_t r = 0, i = 0; i * sizeof(size_t) < sizes[r].size();) {
    size_t size = 0;
    std::memcpy(&size, sizes[r].data() + i * sizeof(size_t), sizeof(size_t));
    std::vector<T>& item = all.emplace_back(size);
    if (size > 0) std::memcpy(item.data(), found[r].data() + at[r], size * sizeof(T));
    at[r] += size * sizeof(T);
    if (++r == sizes.size()) r = 0, ++i;
  }
  return all;
}

}  // namespace espalier
