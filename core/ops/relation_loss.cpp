// SPDX-License-Identifier: Apache-2.0
// S_ij = left_i right_j / sqrt(D) of each head and sentence, of the student (S) and of the teacher (R);
// scores:         y = sum over sentences of mean_aij (S - R)^2 / divisor;            gS = 2 (S - R) gy / (A L^2
// divisor) probabilities:  y = sum over sentences of mean_ai KL(softmax R_i || softmax S_i) / divisor;
//                                                                gS = (softmax S - softmax R) gy / (A L divisor)
// gleft = gS right / sqrt(D),  gright = gS^T left / sqrt(D).
#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/ops.h"
#include "core/ops/log_softmax.h"
#include "core/parallel.h"
#include "core/products/gemm.h"

namespace espalier::ops {
namespace {

// One head of one sentence: its place in the packed rows and in the list of all score matrices.
struct Block {
  int64_t row, length, head, first;
};

std::vector<Block> blocks_of(std::span<const int32_t> offsets, int64_t heads) {
  std::vector<Block> blocks;
  int64_t first = 0;
  for (size_t b = 0; b + 1 < offsets.size(); ++b)
    for (int64_t head = 0; head < heads; ++head) {
      const int64_t length = offsets[b + 1] - offsets[b];
      blocks.push_back({offsets[b], length, head, first});
      first += length * length;
    }
  return blocks;
}

// The rows of query, key or value (0, 1, 2) that a block reads.
template <class T>
T* part(const Tensor& qkv, int which, const Block& block, int64_t size) {
  const int64_t width = qkv.cols() / 3;
  return qkv.data<T>() + block.row * 3 * width + which * width + block.head * size;
}

template <class T>
Tensor scores_of(const Tensor& qkv, const std::vector<Block>& blocks, const Relation& relation) {
  const int64_t size = qkv.cols() / (3 * relation.heads);
  int64_t elements = 0;
  for (const Block& b : blocks) elements += b.length * b.length;
  Tensor scores({elements}, dtype_of<T>());
  std::vector<Gemm<T>> products;
  products.reserve(blocks.size());
  for (const Block& b : blocks)
    products.push_back({.m = b.length,
                        .n = b.length,
                        .k = size,
                        .a = part<T>(qkv, relation.left, b, size),
                        .lda = qkv.cols(),
                        .b = part<T>(qkv, relation.right, b, size),
                        .ldb = qkv.cols(),
                        .transpose_b = true,
                        .c = scores.data<T>() + b.first,
                        .ldc = b.length});
  gemm(products);
  const T scale = static_cast<T>(1 / std::sqrt(static_cast<double>(size)));
  for (T& s : scores.span<T>()) s *= scale;
  return scores;
}

// The sum over all blocks; the student's scores become their gradient for divisor 1.
template <class T>
double compare(const Tensor& student, const Tensor& teacher, const std::vector<Block>& blocks,
               const Relation& relation) {
  std::vector<double> sums(blocks.size());
  parallel_rows(std::ssize(blocks), 4, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Block& b = blocks[static_cast<size_t>(i)];
      const double rows = static_cast<double>(relation.heads * b.length), pairs = rows * static_cast<double>(b.length);
      double sum = 0;
      for (int64_t row = 0; row < b.length; ++row) {
        T* const s = student.data<T>() + b.first + row * b.length;
        T* const r = teacher.data<T>() + b.first + row * b.length;
        if (relation.probabilities) {
          log_softmax(s, b.length, 1, s);
          log_softmax(r, b.length, 1, r);
        }
        for (int64_t j = 0; j < b.length; ++j) {
          if (relation.probabilities) {
            const T p = std::exp(r[j]);
            sum += static_cast<double>(p * (r[j] - s[j])) / rows;
            s[j] = (std::exp(s[j]) - p) / static_cast<T>(rows);
          } else {
            const T d = s[j] - r[j];
            sum += static_cast<double>(d * d) / pairs;
            s[j] = 2 * d / static_cast<T>(pairs);
          }
        }
      }
      sums[static_cast<size_t>(i)] = sum;
    }
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

template <class T, class X>
void write(const Tensor& gradient, const GradSlot& g) {
  const T* const from = gradient.data<T>();
  X* const to = g.to.data<X>();
  for (int64_t i = 0; i < gradient.size(); ++i)
    if constexpr (std::is_same_v<X, Bf16>)
      to[i] = Bf16((g.accumulate ? static_cast<float>(to[i]) : 0.0F) + static_cast<float>(from[i]));
    else
      to[i] = (g.accumulate ? to[i] : X{0}) + from[i];
}

template <class T>
Var run(const Var& student, const Tensor& teacher, const std::vector<Block>& blocks, const Relation& relation,
        double divisor) {
  const DType wide = dtype_of<T>();
  Tensor y({1}, wide);
  const Tensor qkv = student.value.to(wide), goal = teacher.to(wide);
  *y.data<T>() = static_cast<T>(
      compare<T>(scores_of<T>(qkv, blocks, relation), scores_of<T>(goal, blocks, relation), blocks, relation) /
      divisor);
  return Tape::record(
      "relation_loss", y, {&student}, [qkv, goal, blocks, relation, divisor](const Tensor& gy, Tape::Slots& slots) {
        auto g = slots[0];
        if (!g) return;
        const int64_t size = qkv.cols() / (3 * relation.heads);
        const Tensor s = scores_of<T>(qkv, blocks, relation);
        compare<T>(s, scores_of<T>(goal, blocks, relation), blocks, relation);
        const T scale =
            static_cast<T>(static_cast<double>(*gy.data<T>()) / divisor / std::sqrt(static_cast<double>(size)));
        for (T& v : s.span<T>()) v *= scale;
        const Tensor gradient = Tensor::zeros(qkv.shape(), qkv.dtype());
        for (const bool left : {true, false}) {  // one after the other: both may be the same rows
          std::vector<Gemm<T>> products;
          products.reserve(blocks.size());
          for (const Block& b : blocks)
            products.push_back({.m = b.length,
                                .n = size,
                                .k = b.length,
                                .a = s.data<T>() + b.first,
                                .lda = b.length,
                                .transpose_a = !left,
                                .b = part<T>(qkv, left ? relation.right : relation.left, b, size),
                                .ldb = qkv.cols(),
                                .c = part<T>(gradient, left ? relation.left : relation.right, b, size),
                                .ldc = qkv.cols(),
                                .accumulate = true});
          gemm(products);
        }
        if (g.to.dtype() == DType::bf16)
          write<T, Bf16>(gradient, g);
        else
          write<T, T>(gradient, g);
      });
}

}  // namespace

Var relation_loss(const Var& student, const Tensor& teacher, std::span<const int32_t> offsets, const Relation& relation,
                  double divisor) {
  const int64_t heads = relation.heads;
  CHECK(heads > 0, "relation_loss: ", heads, " heads");
  for (const Shape& s : {student.shape(), teacher.shape()})
    CHECK(s.rank() == 2 && s.cols() % (3 * heads) == 0, "relation_loss: qkv", s,
          " does not hold queries, keys and values of ", heads, " heads");
  CHECK(student.value.rows() == teacher.rows() && !offsets.empty() && offsets.front() == 0 &&
            offsets.back() == teacher.rows() && std::is_sorted(offsets.begin(), offsets.end()),
        "relation_loss: the offsets do not span qkv", student.shape(), " and the teacher's", teacher.shape());
  CHECK(divisor > 0, "relation_loss: divisor ", divisor, " is not positive");
  const std::vector<Block> blocks = blocks_of(offsets, heads);
  return student.dtype() == DType::f64 ? run<double>(student, teacher, blocks, relation, divisor)
                                       : run<float>(student, teacher, blocks, relation, divisor);
}

}  // namespace espalier::ops
