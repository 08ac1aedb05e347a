// SPDX-License-Identifier: Apache-2.0
// Tensor: a contiguous row-major array. A value handle: copies and views share the storage, clone() does not. No
// strides, no broadcasting.
#pragma once

#include <algorithm>
#include <memory>
#include <span>

#include "core/dtype.h"
#include "core/shape.h"
#include "core/storage.h"

namespace espalier {

class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(const Shape& shape, DType type = DType::f32);  // contents are undefined
  static Tensor zeros(const Shape& shape, DType type = DType::f32);
  // Elements that belong to the owner, aligned to their size, only to be read: nothing is copied.
  static Tensor borrowed(const std::byte* elements, const Shape& shape, DType type, std::shared_ptr<const void> owner);
  template <class T>
  static Tensor of(const Shape& shape, std::span<const T> values) {
    CHECK(static_cast<int64_t>(values.size()) == shape.size(), "tensor: ", values.size(), " values for shape ", shape);
    Tensor t(shape, dtype_of<T>());
    std::copy(values.begin(), values.end(), t.data<T>());
    return t;
  }

  explicit operator bool() const { return storage_ != nullptr; }
  const Shape& shape() const { return shape_; }
  DType dtype() const { return dtype_; }
  int64_t rows() const { return shape_.rows(); }
  int64_t cols() const { return shape_.cols(); }
  int64_t size() const { return shape_.size(); }
  size_t bytes() const { return static_cast<size_t>(size()) * size_of(dtype_); }

  // The elements; T must be the element type.
  template <class T>
  T* data() const {
    CHECK(dtype_of<T>() == dtype_, "tensor: ", name_of(dtype_), " elements of shape ", shape_, " read as ",
          name_of(dtype_of<T>()));
    return reinterpret_cast<T*>(raw());
  }
  std::byte* raw() const { return storage_ ? storage_->data() + offset_ : nullptr; }
  template <class T>
  std::span<T> span() const {
    return {data<T>(), static_cast<size_t>(size())};
  }

  Tensor view(int64_t first,
              const Shape& shape) const;  // shape.size() elements from element `first` on; shares the storage
  Tensor reshaped(const Shape& shape) const { return view(0, shape); }
  Tensor clone() const;
  Tensor to(DType type) const;  // f32, f64 and bf16 into each other; the tensor itself if it is of that type already
  void copy_from(const Tensor& other) const;  // same shape and type
  void fill_zero() const;
  bool unique() const { return storage_.use_count() == 1; }

 private:
  std::shared_ptr<Storage> storage_;
  size_t offset_ = 0;  // bytes
  Shape shape_;
  DType dtype_ = DType::f32;
};

// Calls f with a value of the element type: float or double (and Bf16 for the second), else throws naming `op`.
template <class F>
decltype(auto) dispatch_real(const char* op, DType type, F f) {
  if (type == DType::f32) return f(float{});
  CHECK(type == DType::f64, op, ": elements are ", name_of(type), ", f32 or f64 is expected");
  return f(double{});
}
template <class F>
decltype(auto) dispatch_activation(const char* op, DType type, F f) {
  if (type == DType::bf16) return f(Bf16{});
  return dispatch_real(op, type, f);
}

}  // namespace espalier
