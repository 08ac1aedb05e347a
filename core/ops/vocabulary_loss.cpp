// SPDX-License-Identifier: Apache-2.0
// z = x table^T + bias, chunk by chunk of its rows; what a loss makes of a chunk is its gradient gz, in z's place; then
// gx = gz table,  gtable += gz^T x,  gbias += column sums of gz. These products are the linear op's.
// Cross-entropy: y = sum_m (log sum exp z_m - z_m[label]) / divisor,  gz = (softmax(z) - onehot) / divisor.
// Soft: p = softmax(t / T),  q = softmax(z / T);  y = T^2 sum p (log p - log q) / divisor,  gz = T (q - p) / divisor.
#include "core/ops/vocabulary_loss.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numeric>

#include "core/kernels/softmax.h"
#include "core/ops.h"
#include "core/parallel.h"

namespace espalier::ops {
namespace {

// Rows of a chunk: 32 MB of f32 logits at most, and enough of them for fast products. By the size alone.
int64_t chunk_rows(int64_t words) { return std::clamp<int64_t>((int64_t{1} << 23) / words / 32 * 32, 32, 256); }

// A decoder, checked, with its table in the form that the products read.
struct Decoder {
  Decoder(const char* op, const Var& decoder_table, const Var& decoder_bias, int64_t width, DType products)
      : table(decoder_table), bias(decoder_bias), compute(products) {
    CHECK(table.shape().rank() == 2 && table.value.cols() == width && bias.shape() == Shape{table.value.rows()}, op,
          ": x of width ", width, ", table", table.shape(), " and bias", bias.shape(),
          " do not fit; [V, width] and [V] are expected");
    if (compute != DType::bf16) return;
    const auto packed = std::make_shared<PackedWeight>(table.value.rows(), width);
    packed->pack(table.value.data<float>());
    form = std::shared_ptr<const PackedWeight>(packed);
  }

  int64_t words() const { return table.value.rows(); }
  Var logits(const Var& rows, const Var& t, const Var& b) const {
    return linear(rows, Affine{t, b, form}, compute, DType::f32);
  }
  // Of rows first … first + count of x, without a gradient.
  Tensor logits(const Tensor& x, int64_t first, int64_t count) const {
    return logits({x.view(first * x.cols(), {count, x.cols()})}, {table.value}, {bias.value}).value;
  }

  Var table, bias;
  DType compute;
  WeightForm form = {};
};

// The gradients for gy = 1, made with the loss. Those that nobody wants stay empty.
struct Made {
  LeafGrad x, table, bias;
};

template <class T>
Var finished(const char* op, double loss, const std::array<const Var*, 3>& inputs, const std::shared_ptr<Made>& made) {
  const Tensor y({1}, inputs[0]->dtype());
  *y.data<T>() = static_cast<T>(loss);
  return Tape::record(op, y, inputs, [made](const Tensor& gy, Tape::Slots& slots) {
    const T scale = *gy.data<T>();
    const std::array<const LeafGrad*, 3> all = {&made->x, &made->table, &made->bias};
    for (size_t i = 0; i < all.size(); ++i) {
      auto g = slots[i];
      if (!g) continue;
      const T* const from = all[i]->grad.data<T>();
      T* const to = g.to.data<T>();
      parallel_rows(g.to.size(), 16384, [&](int64_t begin, int64_t end) {
        if (g.accumulate)
          for (int64_t k = begin; k < end; ++k) to[k] += from[k] * scale;
        else
          for (int64_t k = begin; k < end; ++k) to[k] = from[k] * scale;
      });
    }
  });
}

// of_chunk(z[rows, V], first, wanted) returns the chunk's loss, and where it is wanted leaves the gradient of z in z.
template <class T, class OfChunk>
Var in_chunks(const char* op, const Var& x, const Decoder& decoder, OfChunk of_chunk) {
  const auto made = std::make_shared<Made>();
  const int64_t rows = x.value.rows(), width = x.value.cols();
  if (x.tape != nullptr) made->x.grad = Tensor(x.shape(), x.dtype());
  double loss = 0;
  for (int64_t first = 0, count = 0; first < rows; first += count) {
    count = std::min(chunk_rows(decoder.words()), rows - first);
    Tape tape;
    const Tensor own = x.value.view(first * width, {count, width});
    LeafGrad own_gradient;
    if (x.tape != nullptr) own_gradient.grad = made->x.grad.view(first * width, {count, width});
    const auto leaf = [&](const Var& v, const Tensor& value, LeafGrad& gradient) {
      return v.tape != nullptr ? tape.leaf(value, gradient) : Var{value};
    };
    const Var z = decoder.logits(leaf(x, own, own_gradient), leaf(decoder.table, decoder.table.value, made->table),
                                 leaf(decoder.bias, decoder.bias.value, made->bias));
    loss += of_chunk(z.value, first, z.tape != nullptr);
    if (z.tape != nullptr) tape.backward(z, z.value);
  }
  return finished<T>(op, loss, {&x, &decoder.table, &decoder.bias}, made);
}

// Sum over the rows of z of row(its logits, its number), in their order.
template <class T, class Row>
double sum_of_rows(const Tensor& z, Row row) {
  std::vector<double> losses(static_cast<size_t>(z.rows()));
  parallel_for(z.rows(), [&](int64_t r) { losses[static_cast<size_t>(r)] = row(z.data<T>() + r * z.cols(), r); });
  return std::accumulate(losses.begin(), losses.end(), 0.0);
}

void check_rows(const char* op, const Tensor& x, size_t expected, double divisor) {
  CHECK(x.shape().rank() == 2 && x.rows() > 0 && x.rows() == static_cast<int64_t>(expected), op, ": x", x.shape(),
        " and ", expected, " rows of targets");
  CHECK(divisor > 0, op, ": divisor ", divisor, " is not positive");
}

void check_words(const char* op, std::span<const int32_t> labels, int64_t words) {
  for (size_t r = 0; r < labels.size(); ++r)
    CHECK(labels[r] >= -1 && labels[r] < words, op, ": label ", labels[r], " of row ", r, " is outside 0 … ",
          words - 1);
}

}  // namespace

Var vocabulary_cross_entropy(const Var& x, const Var& table, const Var& bias, std::span<const int32_t> labels,
                             double divisor, DType compute) {
  constexpr const char* op = "vocabulary_cross_entropy";
  check_rows(op, x.value, labels.size(), divisor);
  const Decoder decoder(op, table, bias, x.value.cols(), compute);
  const int64_t words = decoder.words();
  check_words(op, labels, words);
  return dispatch_real(op, x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T share = static_cast<T>(1 / divisor);
    return in_chunks<T>(op, x, decoder, [&](const Tensor& z, int64_t first, bool wanted) {
      return sum_of_rows<T>(z, [&](T* row, int64_t r) {
        const int32_t label = labels[static_cast<size_t>(first + r)];
        if (label < 0) {
          std::fill_n(row, words, T{0});
          return 0.0;
        }
        const double log_sum = kernels::log_sum_exp(words, row, T{1});
        const double loss = (log_sum - static_cast<double>(row[label])) / divisor;
        if (!wanted) return loss;
        kernels::probabilities(words, T{1}, log_sum, share, row);
        row[label] -= share;
        return loss;
      });
    });
  });
}

Var vocabulary_soft_cross_entropy(const Var& x, const Var& table, const Var& bias, const VocabularyTeacher& teacher,
                                  double temperature, double divisor, DType compute) {
  constexpr const char* op = "vocabulary_soft_cross_entropy";
  check_rows(op, x.value, static_cast<size_t>(teacher.x.rows()), divisor);
  CHECK(temperature > 0 && std::isfinite(temperature), op, ": temperature ", temperature, " is not positive");
  const Decoder decoder(op, table, bias, x.value.cols(), compute);
  const Decoder other(op, {teacher.table}, {teacher.bias}, teacher.x.cols(), compute);
  const int64_t words = decoder.words();
  CHECK(other.words() == words, op, ": the teacher's table", teacher.table.shape(), " and the student's", table.shape(),
        " have different words");
  return dispatch_real(op, x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T sharpness = static_cast<T>(1 / temperature), share = static_cast<T>(temperature / divisor);
    return in_chunks<T>(op, x, decoder, [&](const Tensor& z, int64_t first, bool /*wanted*/) {
      const Tensor t = other.logits(teacher.x, first, z.rows());
      return temperature * temperature / divisor * sum_of_rows<T>(z, [&](T* row, int64_t r) {
               const T* const goal = t.data<T>() + r * words;
               return kernels::divergence(words, goal, kernels::log_sum_exp(words, goal, sharpness), sharpness,
                                          kernels::log_sum_exp(words, row, sharpness), share, row);
             });
    });
  });
}

std::vector<VocabularyScore> vocabulary_scores(const Tensor& x, const Tensor& table, const Tensor& bias,
                                               std::span<const int32_t> labels, DType compute) {
  constexpr const char* op = "vocabulary_scores";
  check_rows(op, x, labels.size(), 1);
  const Decoder decoder(op, {table}, {bias}, x.cols(), compute);
  const int64_t words = decoder.words();
  check_words(op, labels, words);
  std::vector<VocabularyScore> scores(labels.size());
  for (int64_t first = 0, count = 0; first < x.rows(); first += count) {
    count = std::min(chunk_rows(words), x.rows() - first);
    const Tensor z = decoder.logits(x, first, count);
    parallel_for(count, [&](int64_t r) {
      const float* const row = z.data<float>() + r * words;
      const auto i = static_cast<size_t>(first + r);
      scores[i].likeliest = static_cast<int32_t>(std::max_element(row, row + words) - row);
      if (labels[i] >= 0)
        scores[i].log_probability = static_cast<double>(row[labels[i]]) - kernels::log_sum_exp(words, row, 1.0F);
    });
  }
  return scores;
}

}  // namespace espalier::ops
