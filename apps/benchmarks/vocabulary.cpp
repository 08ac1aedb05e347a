// SPDX-License-Identifier: Apache-2.0
// The decoder of masked words and its loss, forward and backward, over BERT's vocabulary: in chunks, and by the ops
// that keep all logits.
#include "apps/benchmarks/benchmarks.h"
#include "core/ops.h"
#include "core/ops/vocabulary_loss.h"
#include "core/parallel.h"
#include "core/rng.h"
#include "core/storage.h"

namespace espalier {
namespace {

constexpr int64_t words = 30522;

Tensor random_values(const Shape& shape, uint64_t stream) {
  Rng rng(1, stream);
  Tensor t(shape);
  for (float& v : t.span<float>()) v = static_cast<float>(rng.uniform() - 0.5) / 8;
  return t;
}

struct Cost {
  double seconds = 0, peak_mb = 0;  // beside x, table, bias and their gradients
};

// Of a loss of x[M, H], table[V, H] and bias[V], with its gradients.
template <class Loss>
Cost cost_of(int64_t steps, const std::array<Tensor, 3>& values, Loss loss) {
  std::array<LeafGrad, 3> grads;
  for (size_t i = 0; i < 3; ++i) grads[i].grad = Tensor(values[i].shape());
  release_pool();
  reset_storage_peak();
  const size_t before = storage_stats().live;
  const double seconds = median_seconds(steps, [&] {
    Tape tape;
    std::array<Var, 3> leaves;
    for (size_t i = 0; i < 3; ++i) {
      grads[i].written = false;
      leaves[i] = tape.leaf(values[i], grads[i]);
    }
    tape.backward(loss(leaves));
  });
  return {seconds, 1e-6 * static_cast<double>(storage_stats().peak - before)};
}

}  // namespace

int bench_vocabulary(const BenchOptions& o, const CommonOptions& common) {
  const DType compute = choose(o.precision).compute;
  for (const int64_t width : {384, 768})
    for (const int64_t rows : {200, 500, 1000, 2000}) {
      const std::array<Tensor, 3> values = {random_values({rows, width}, 1), random_values({words, width}, 2),
                                            random_values({words}, 3)};
      std::vector<int32_t> labels;
      for (int64_t r = 0; r < rows; ++r) labels.push_back(static_cast<int32_t>(r * 7919 % words));
      const auto divisor = static_cast<double>(rows);
      const Cost chunked = cost_of(o.steps, values, [&](const std::array<Var, 3>& v) {
        return ops::vocabulary_cross_entropy(v[0], v[1], v[2], labels, divisor, compute);
      });
      const Cost whole = cost_of(o.steps, values, [&](const std::array<Var, 3>& v) {
        return ops::cross_entropy(ops::linear(v[0], ops::Affine{v[1], v[2]}, compute, DType::f32), labels, divisor);
      });
      print_figures({{"bench", "vocabulary"},
                     {"rows", rows},
                     {"width", width},
                     {"precision", name_of(compute)},
                     {"threads", threads()},
                     {"chunked_ms", 1e3 * chunked.seconds},
                     {"chunked_gflops", 6e-9 * static_cast<double>(rows * width * words) / chunked.seconds},
                     {"chunked_mb", chunked.peak_mb},
                     {"whole_ms", 1e3 * whole.seconds},
                     {"whole_mb", whole.peak_mb}},
                    common);
    }
  return 0;
}

}  // namespace espalier
