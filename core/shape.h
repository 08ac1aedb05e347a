// SPDX-License-Identifier: Apache-2.0
// Shape: at most four dimensions and 2^48 elements, row-major. Prints as [430, 768].
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <span>

#include "core/check.h"

namespace espalier {

class Shape {
 public:
  static constexpr int max_rank = 4;
  static constexpr int64_t max_size = int64_t{1} << 48;  // so that no product of dimensions and bytes overflows

  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const int64_t> dims) {
    CHECK(dims.size() <= max_rank, "shape: ", dims.size(), " dimensions, at most ", max_rank, " are possible");
    int64_t elements = 1;
    for (const int64_t d : dims) {
      CHECK(d >= 0, "shape: dimension ", rank_, " is ", d);
      CHECK(d <= max_size / elements, "shape: more than ", max_size, " elements with dimension ", rank_, " of ", d);
      elements *= d > 0 ? d : 1;
      dims_[rank_++] = d;
    }
  }

  int rank() const { return rank_; }
  int64_t operator[](int i) const { return dims_[i]; }
  std::span<const int64_t> dims() const { return {dims_.data(), static_cast<size_t>(rank_)}; }
  int64_t rows() const { return rank_ > 0 ? dims_[0] : 1; }          // first dimension
  int64_t cols() const { return rank_ > 0 ? dims_[rank_ - 1] : 1; }  // last dimension
  int64_t size() const {
    int64_t n = 1;
    for (int i = 0; i < rank_; ++i) n *= dims_[i];
    return n;
  }
  bool operator==(const Shape&) const = default;

 private:
  std::array<int64_t, max_rank> dims_{};
  int rank_ = 0;
};

inline std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  out << '[';
  for (int i = 0; i < shape.rank(); ++i) out << (i > 0 ? ", " : "") << shape[i];
  return out << ']';
}

}  // namespace espalier
