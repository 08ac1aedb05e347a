// SPDX-License-Identifier: Apache-2.0
// PagedArray: a std::vector that only grows, and that lies in a file once it is larger than a limit. Used for the
// tokens of a dataset.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "data/files/mapped_scratch.h"

namespace espalier {

template <class T>
class PagedArray {
 public:
  PagedArray() = default;
  PagedArray(std::initializer_list<T> values) : memory_(values) {}
  PagedArray(std::vector<T> values) : memory_(std::move(values)) {}
  PagedArray(const PagedArray& other) : limit_(other.limit_) { append(other.span()); }
  PagedArray& operator=(const PagedArray& other) { return *this = PagedArray(other); }
  PagedArray(PagedArray&&) noexcept = default;
  PagedArray& operator=(PagedArray&&) noexcept = default;
  ~PagedArray() = default;

  // Bytes after which it moves into a file: before anything is appended.
  void set_limit(size_t bytes) { limit_ = bytes; }

  // Elements are appended many at a time: in a file each call is a write. They may not be the array's own.
  void append(std::span<const T> values) {
    if (!file_ && (memory_.size() + values.size()) * sizeof(T) > limit_) {
      file_ = std::make_unique<MappedScratch>();
      file_->append(std::as_bytes(std::span(memory_)));
      memory_ = {};
    }
    if (file_)
      file_->append(std::as_bytes(values));
    else
      memory_.insert(memory_.end(), values.begin(), values.end());
  }
  void push_back(const T& value) { append({&value, 1}); }
  void grow(size_t size, const T& value) {  // to that size, unless it has it
    if (size > this->size()) append(std::vector<T>(size - this->size(), value));
  }
  void clear() {
    memory_.clear();
    file_.reset();
  }

  size_t size() const { return file_ ? file_->size() / sizeof(T) : memory_.size(); }
  bool empty() const { return size() == 0; }
  const T* data() const { return file_ ? reinterpret_cast<const T*>(file_->data()) : memory_.data(); }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size(); }
  template <class I>
  const T& operator[](I i) const {
    return data()[i];
  }
  const T& back() const { return data()[size() - 1]; }
  std::span<const T> span() const { return {data(), size()}; }
  bool in_file() const { return file_ != nullptr; }
  friend bool operator==(const PagedArray& a, const PagedArray& b) { return std::ranges::equal(a.span(), b.span()); }

 private:
  std::vector<T> memory_;
  std::unique_ptr<MappedScratch> file_;
  size_t limit_ = std::numeric_limits<size_t>::max();
};

}  // namespace espalier
