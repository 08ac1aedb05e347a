// SPDX-License-Identifier: Apache-2.0
#include "optim/gradient_parts.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/kernels/elementwise.h"
#include "core/parallel.h"

namespace espalier {
namespace {

constexpr int64_t grain = 1 << 15;

// Row r of the gradient of a table.
std::span<float> row_of(const LeafGrad& gradient, int32_t row) {
  const int64_t cols = gradient.grad.cols();
  return gradient.grad.span<float>().subspan(static_cast<size_t>(row * cols), static_cast<size_t>(cols));
}

void add_rows(const LeafGrad& left, LeafGrad& right) {
  for (const int32_t row : left.rows->list()) {
    const std::span<float> from = row_of(left, row), to = row_of(right, row);
    if (right.by_rows && right.rows->insert(row))
      std::ranges::copy(from, to.begin());
    else
      kernels::add(std::ssize(to), from.data(), to.data());
  }
}

void fill_other_rows(LeafGrad& gradient) {
  for (int64_t row = 0; row < gradient.grad.rows(); ++row)
    if (!gradient.rows->contains(row)) std::ranges::fill(row_of(gradient, static_cast<int32_t>(row)), 0.0F);
  gradient.by_rows = false;
}

template <class T>
void append_bytes(std::string& bytes, const T* from, size_t count) {
  if (count > 0) bytes.append(reinterpret_cast<const char*>(from), count * sizeof(T));
}

template <class T>
void take_bytes(std::string_view& bytes, T* to, size_t count) {
  if (count > 0) std::memcpy(to, bytes.data(), count * sizeof(T));
  bytes.remove_prefix(count * sizeof(T));
}

}  // namespace

void add_gradient(const LeafGrad& left, LeafGrad& right) {
  if (!left.written) return;
  if (!right.written) {
    right.written = true;
    right.by_rows = left.by_rows;
    if (left.by_rows) {
      right.rows->clear();
      add_rows(left, right);
    } else {
      right.grad.copy_from(left.grad);
    }
    return;
  }
  if (right.by_rows && !left.by_rows) fill_other_rows(right);
  if (left.by_rows) return add_rows(left, right);
  const float* const from = left.grad.data<float>();
  float* const to = right.grad.data<float>();
  parallel_rows(right.grad.size(), grain,
                [&](int64_t begin, int64_t end) { kernels::add(end - begin, from + begin, to + begin); });
}

void round_to_bf16(std::span<float> values) {
  std::array<Bf16, 4096> rounded;
  for (size_t at = 0; at < values.size(); at += rounded.size()) {
    const std::span<float> some = values.subspan(at, std::min(rounded.size(), values.size() - at));
    kernels::convert(std::ssize(some), some.data(), rounded.data());
    kernels::convert(std::ssize(some), rounded.data(), some.data());
  }
}

void round_to_bf16(LeafGrad& gradient) {
  if (!gradient.written) return;
  if (gradient.by_rows) {
    for (const int32_t row : gradient.rows->list()) round_to_bf16(row_of(gradient, row));
    return;
  }
  const std::span<float> all = gradient.grad.span<float>();
  parallel_rows(std::ssize(all), grain, [&](int64_t begin, int64_t end) {
    round_to_bf16(all.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin)));
  });
}

GradientPart part_of(const LeafGrad& gradient) {
  if (!gradient.written) return {};
  if (!gradient.by_rows) {
    const std::span<const float> all = gradient.grad.span<float>();
    return {GradientPart::whole, {}, {all.begin(), all.end()}};
  }
  GradientPart part{GradientPart::by_rows, gradient.rows->list(), {}};
  std::ranges::sort(part.rows);
  for (const int32_t row : part.rows) {
    const std::span<const float> values = row_of(gradient, row);
    part.values.insert(part.values.end(), values.begin(), values.end());
  }
  return part;
}

void put(const GradientPart& part, LeafGrad& gradient) {
  gradient.written = part.kind != GradientPart::none;
  gradient.by_rows = part.kind == GradientPart::by_rows;
  if (part.kind == GradientPart::whole) std::ranges::copy(part.values, gradient.grad.data<float>());
  if (part.kind != GradientPart::by_rows) return;
  gradient.rows->clear();
  const auto cols = static_cast<size_t>(gradient.grad.cols());
  for (size_t i = 0; i < part.rows.size(); ++i) {
    gradient.rows->insert(part.rows[i]);
    std::copy_n(part.values.data() + i * cols, cols, row_of(gradient, part.rows[i]).data());
  }
}

GradientPart sum(GradientPart left, GradientPart right, DType dtype) {
  if (left.kind == GradientPart::none) return right;
  if (right.kind == GradientPart::none) return left;
  CHECK(left.kind == right.kind, "gradients: one part of a step has whole rows, another has all rows");
  GradientPart result{left.kind, {}, {}};
  if (left.kind == GradientPart::whole) {
    result = std::move(right);
    kernels::add(std::ssize(result.values), left.values.data(), result.values.data());
  } else {
    const size_t cols = left.values.size() / left.rows.size();
    std::ranges::set_union(left.rows, right.rows, std::back_inserter(result.rows));
    result.values.resize(result.rows.size() * cols);
    const float *a = left.values.data(), *b = right.values.data();
    float* to = result.values.data();
    size_t i = 0, j = 0;
    for (const int32_t row : result.rows) {
      const bool in_left = i < left.rows.size() && left.rows[i] == row,
                 in_right = j < right.rows.size() && right.rows[j] == row;
      std::copy_n(in_right ? b : a, cols, to);
      if (in_left && in_right) kernels::add(static_cast<int64_t>(cols), a, to);
      if (in_left) ++i, a += cols;
      if (in_right) ++j, b += cols;
      to += cols;
    }
  }
  if (dtype == DType::bf16) round_to_bf16(result.values);
  return result;
}

void write(const GradientPart& part, DType dtype, std::string& bytes) {
  const std::array<uint64_t, 3> sizes = {part.kind, part.rows.size(), part.values.size()};
  append_bytes(bytes, sizes.data(), sizes.size());
  append_bytes(bytes, part.rows.data(), part.rows.size());
  if (dtype != DType::bf16) return append_bytes(bytes, part.values.data(), part.values.size());
  std::vector<Bf16> rounded(part.values.size());
  kernels::convert(std::ssize(rounded), part.values.data(), rounded.data());
  append_bytes(bytes, rounded.data(), rounded.size());
}

GradientPart read_part(std::string_view& bytes, DType dtype) {
  std::array<uint64_t, 3> sizes{};
  take_bytes(bytes, sizes.data(), sizes.size());
  GradientPart part{static_cast<GradientPart::Kind>(sizes[0]), std::vector<int32_t>(sizes[1]),
                    std::vector<float>(sizes[2])};
  take_bytes(bytes, part.rows.data(), part.rows.size());
  if (dtype != DType::bf16) {
    take_bytes(bytes, part.values.data(), part.values.size());
    return part;
  }
  std::vector<Bf16> rounded(part.values.size());
  take_bytes(bytes, rounded.data(), rounded.size());
  kernels::convert(std::ssize(rounded), rounded.data(), part.values.data());
  return part;
}

}  // namespace espalier
