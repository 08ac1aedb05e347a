// SPDX-License-Identifier: Apache-2.0
// Attention of f32 against its formula in f64, on every instruction set.
#include "core/kernels/attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <tuple>
#include <vector>

#include "core/kernels/isa.h"

namespace espalier::kernels {
namespace {

std::vector<float> numbers(int64_t count, float size) {
  Rng rng(3, static_cast<uint64_t>(count));
  std::vector<float> v(static_cast<size_t>(count));
  for (float& x : v) x = static_cast<float>(rng.uniform() * 2 - 1) * size;
  return v;
}

// softmax(Q K^T / sqrt D) V of `queries` rows; qkv[L, 3 D].
std::vector<double> expected(int64_t length, int64_t queries, int64_t size, const std::vector<float>& qkv) {
  const auto at = [&](int64_t row, int64_t part, int64_t c) {
    return static_cast<double>(qkv[static_cast<size_t>((row * 3 + part) * size + c)]);
  };
  std::vector<double> out(static_cast<size_t>(queries * size));
  for (int64_t i = 0; i < queries; ++i) {
    std::vector<double> p(static_cast<size_t>(length));
    double most = -1e300, sum = 0;
    for (int64_t j = 0; j < length; ++j) {
      double& score = p[static_cast<size_t>(j)];
      for (int64_t c = 0; c < size; ++c) score += at(i, 0, c) * at(j, 1, c);
      score /= std::sqrt(static_cast<double>(size));
      most = std::max(most, score);
    }
    for (double& x : p) sum += x = std::exp(x - most);
    for (int64_t j = 0; j < length; ++j)
      for (int64_t c = 0; c < size; ++c)
        out[static_cast<size_t>(i * size + c)] += p[static_cast<size_t>(j)] / sum * at(j, 2, c);
  }
  return out;
}

TEST(Attention, follows_its_formula) {
  for (const std::string& isa : available_isas()) {
    set_isa(isa);
    for (const auto& [length, queries, size, scale] : {std::tuple<int64_t, int64_t, int64_t, float>{1, 1, 32, 1.0F},
                                                       {13, 13, 20, 1.0F},
                                                       {20, 1, 32, 3.0F},
                                                       {65, 65, 64, 2.0F},
                                                       {130, 130, 32, 30.0F}}) {  // nearly one-hot
      const std::vector<float> qkv = numbers(length * 3 * size, scale);
      std::vector<float> out(static_cast<size_t>(queries * size)),
          scratch(static_cast<size_t>(attention_scratch(length, size)));
      AttentionHead<float, float> head;
      head.length = head.max_length = length;
      head.head_size = size;
      head.queries = queries;
      head.q = qkv.data();
      head.k = qkv.data() + size;
      head.v = qkv.data() + 2 * size;
      head.qkv_stride = 3 * size;
      head.out = out.data();
      head.out_stride = size;
      head.scratch = scratch.data();
      attention_forward(head);
      const std::vector<double> wanted = expected(length, queries, size, qkv);
      for (size_t i = 0; i < out.size(); ++i)
        ASSERT_NEAR(static_cast<double>(out[i]), wanted[i], 2e-5 * static_cast<double>(scale * scale))
            << isa << ", length " << length << " at " << i;
    }
  }
  set_isa("");
}

}  // namespace
}  // namespace espalier::kernels
