// SPDX-License-Identifier: Apache-2.0
#include "core/tensor.h"

#include <cstring>

#include "core/kernels/elementwise.h"
#include "core/parallel.h"

namespace espalier {

Tensor::Tensor(const Shape& shape, DType type) : shape_(shape), dtype_(type) {
  storage_ = std::make_shared<Storage>(bytes());
}

Tensor Tensor::zeros(const Shape& shape, DType type) {
  Tensor t(shape, type);
  t.fill_zero();
  return t;
}

Tensor Tensor::borrowed(const std::byte* elements, const Shape& shape, DType type, std::shared_ptr<const void> owner) {
  Tensor t;
  t.storage_ = std::make_shared<Storage>(elements, std::move(owner));
  t.shape_ = shape;
  t.dtype_ = type;
  return t;
}

Tensor Tensor::view(int64_t first, const Shape& shape) const {
  CHECK(first >= 0 && first <= size() - shape.size(), "tensor: a view of shape ", shape, " from element ", first,
        " leaves shape ", shape_);
  Tensor t = *this;
  t.offset_ += static_cast<size_t>(first) * size_of(dtype_);
  t.shape_ = shape;
  return t;
}

Tensor Tensor::clone() const {
  Tensor t(shape_, dtype_);
  t.copy_from(*this);
  return t;
}

void Tensor::copy_from(const Tensor& other) const {
  CHECK(other.shape_ == shape_ && other.dtype_ == dtype_, "tensor: copy of ", name_of(other.dtype_), other.shape_,
        " to ", name_of(dtype_), shape_);
  if (size() > 0) std::memcpy(raw(), other.raw(), bytes());
}

void Tensor::fill_zero() const {
  if (size() > 0) std::memset(raw(), 0, bytes());
}

Tensor Tensor::to(DType type) const {
  if (type == dtype_) return *this;
  Tensor t(shape_, type);
  if (dtype_ == DType::f32 && type == DType::bf16) {  // every step of mixed precision does this
    parallel_rows(size(), 65536, [&](int64_t begin, int64_t end) {
      kernels::convert(end - begin, data<float>() + begin, t.data<Bf16>() + begin);
    });
    return t;
  }
  dispatch_activation("tensor: conversion", dtype_, [&](auto from) {
    dispatch_activation("tensor: conversion", type, [&](auto into) {
      const auto* source = data<decltype(from)>();
      auto* target = t.data<decltype(into)>();
      for (int64_t i = 0; i < size(); ++i) {
        if constexpr (std::is_same_v<decltype(from), Bf16>)
          target[i] = static_cast<decltype(into)>(static_cast<float>(source[i]));
        else if constexpr (std::is_same_v<decltype(into), Bf16>)
          target[i] = Bf16(static_cast<float>(source[i]));
        else
          target[i] = static_cast<decltype(into)>(source[i]);
      }
    });
  });
  return t;
}

}  // namespace espalier
