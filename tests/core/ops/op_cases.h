// SPDX-License-Identifier: Apache-2.0
// The table of op cases: one row for each op and interesting size. op_test.cpp puts every row through all its checks; a
// new op needs a row here, and one of the same name in tests/golden/ops.py where PyTorch knows the op.
#pragma once

#include <array>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "core/ops.h"
#include "core/ops/vocabulary_loss.h"
#include "tests/golden/golden.h"

namespace espalier {

struct OpCase {
  std::string name;
  std::vector<Shape> inputs;                    // filled with golden::uniform(name, index)
  std::function<Var(std::span<const Var>)> op;  // of inputs of one type, f32 or f64
  std::vector<Shape> wrong = {};                // inputs that do not fit; empty: every shape fits
  std::vector<std::string> words = {};          // that the error about them holds
  bool golden = true;                           // tests/golden/ops.txt has its values
  double f32_tolerance = 2e-6;                  // difference of f32 and f64, relative to the largest element

  friend std::ostream& operator<<(std::ostream& out, const OpCase& row) { return out << row.name; }
};

using Vars = std::span<const Var>;

inline Var linear_parts(Vars v) {
  std::vector<ops::Affine> parts;
  for (size_t i = 1; i + 1 < v.size(); i += 2) parts.push_back({v[i], v[i + 1]});
  return ops::linear(v[0], parts);
}

inline OpCase attention_case(const std::string& name, int64_t head_size, int64_t heads, std::vector<int32_t> offsets,
                             const Dropout& dropout = {}) {
  OpCase row{.name = name, .inputs = {{offsets.back(), 3 * heads * head_size}}, .op = [=](Vars v) {
               return ops::attention(v[0], offsets, heads, dropout);
             }};
  row.wrong = {{offsets.back(), 3 * heads * head_size + 1}};
  row.words = {(std::ostringstream() << row.wrong[0]).str(), std::to_string(heads) + " heads"};
  return row;
}

inline OpCase add_norm_case(const std::string& name, const Shape& x, float eps, const Dropout& dropout,
                            std::vector<Shape> wrong, std::vector<std::string> words) {
  return {.name = name,
          .inputs = {x, x, {x.cols()}, {x.cols()}},
          .op = [=](Vars v) { return ops::dropout_add_layer_norm(v[0], v[1], v[2], v[3], eps, dropout); },
          .wrong = std::move(wrong),
          .words = std::move(words)};
}

// Every third bit of the first byte and so on: some bytes all kept, some all masked.
inline Tensor mask_bits(int64_t elements) {
  Tensor bits = Tensor::zeros({(elements + 7) / 8}, DType::u8);
  for (int64_t i = 0; i < elements; ++i)
    if (i % 3 == 1 || i / 8 % 5 == 2) bits.data<uint8_t>()[i / 8] |= static_cast<uint8_t>(1U << (i % 8));
  return bits;
}

inline OpCase mask_case(const std::string& name, const Shape& w, std::vector<Shape> wrong,
                        std::vector<std::string> words) {
  return {.name = name,
          .inputs = {w},
          .op = [bits = mask_bits(w.size())](Vars v) { return ops::apply_mask(v[0], bits); },
          .wrong = std::move(wrong),
          .words = std::move(words),
          .golden = false};
}

// What an op compares its input with: constant numbers, in the type of the input.
inline Tensor target(const std::string& name, const Shape& shape, Vars v) {
  return golden::uniform(name, 50, shape, 2, v[0].dtype());
}

// The same from 0 to 1.
inline Tensor shares(const std::string& name, const Shape& shape, Vars v) {
  const Tensor t = target(name, shape, v);
  for (int64_t i = 0; i < t.size(); ++i)
    if (t.dtype() == DType::f64)
      t.data<double>()[i] = (t.data<double>()[i] + 2) / 4;
    else
      t.data<float>()[i] = (t.data<float>()[i] + 2) / 4;
  return t;
}

// Four rows with a label and one without; weights of three classes, one of them 0, or none.
inline OpCase class_loss_case(const std::string& name, const ops::ClassLoss& loss) {
  return {.name = name,
          .inputs = {{5, 3}},
          .op =
              [=](Vars v) {
                return ops::weighted_cross_entropy(v[0], std::vector<int32_t>{0, 2, -1, 1, 0}, loss, 2.5);
              },
          .wrong = {{4, 3}},
          .words = {"[4, 3]", "5 labels", "weighted_cross_entropy"}};
}

// Elements 0, 2, 7, 10 and 14 of 15 are yes.
inline OpCase yes_or_no_case(const std::string& name, const ops::ClassLoss& loss) {
  return {.name = name,
          .inputs = {{5, 3}},
          .op =
              [=](Vars v) {
                const Tensor yes = Tensor::zeros({5, 3}, v[0].dtype());
                for (const int64_t i : {0, 2, 7, 10, 14})
                  v[0].dtype() == DType::f64 ? yes.data<double>()[i] = 1 : yes.data<float>()[i] = 1;
                return ops::weighted_binary_cross_entropy(v[0], yes, loss, 15);
              },
          .wrong = {{4, 3}},
          .words = {"[4, 3]", "[5, 3]", "weighted_binary_cross_entropy"}};
}

// Sentences of 1, 13 and 5 tokens; the student has 12 numbers in each of query, key and value, the teacher 24.
inline OpCase relation_case(const std::string& name, const ops::Relation& relation) {
  return {
      .name = name,
      .inputs = {{19, 36}},
      .op =
          [=](Vars v) {
            return ops::relation_loss(v[0], target(name, {19, 72}, v), std::vector<int32_t>{0, 1, 14, 19}, relation, 4);
          },
      .wrong = {{19, 37}},
      .words = {"[19, 37]", std::to_string(relation.heads) + " heads", "relation_loss"}};
}

// Labels of `rows` masked tokens among 7 words; every fifth has none.
inline std::vector<int32_t> word_labels(int64_t rows) {
  std::vector<int32_t> labels;
  for (int64_t r = 0; r < rows; ++r) labels.push_back(r % 5 == 2 ? -1 : static_cast<int32_t>(r * r % 7));
  return labels;
}

inline OpCase vocabulary_case(const std::string& name, int64_t rows) {
  return {.name = name,
          .inputs = {{rows, 6}, {7, 6}, {7}},
          .op =
              [=](Vars v) {
                return ops::vocabulary_cross_entropy(v[0], v[1], v[2], word_labels(rows), static_cast<double>(rows));
              },
          .wrong = {{rows, 5}, {7, 6}, {7}},
          .words = {"width 5", "[7, 6]", "vocabulary_cross_entropy"}};
}

// The teacher is 4 wide.
inline OpCase soft_vocabulary_case(const std::string& name, int64_t rows) {
  return {.name = name,
          .inputs = {{rows, 6}, {7, 6}, {7}},
          .op =
              [=](Vars v) {
                const auto made = [&](int index, const Shape& shape) {
                  return golden::uniform(name, index, shape, 2, v[0].dtype());
                };
                return ops::vocabulary_soft_cross_entropy(v[0], v[1], v[2],
                                                          {made(50, {rows, 4}), made(51, {7, 4}), made(52, {7})}, 2.5,
                                                          static_cast<double>(rows));
              },
          .wrong = {{rows, 6}, {8, 6}, {8}},
          .words = {"[7, 4]", "[8, 6]", "vocabulary_soft_cross_entropy"}};
}

inline std::vector<OpCase> op_cases() {
  const std::vector<int32_t> ids = {3, 0, 5, 3, 3, 1, 5, 0}, segments = {0, 0, 1, 0, 0, 0, 1, 1},
                             offsets = {0, 3, 3, 8}, labels = {0, 2, 2, 1, 0}, rows = {4, 0, 3};
  return {
      {.name = "linear",
       .inputs = {{5, 4}, {3, 4}, {3}},
       .op = [](Vars v) { return ops::linear(v[0], v[1], v[2]); },
       .wrong = {{5, 4}, {3, 7}, {3}},
       .words = {"[5, 4]", "[3, 7]", "linear"}},
      {.name = "linear_3_parts",
       .inputs = {{7, 6}, {5, 6}, {5}, {5, 6}, {5}, {1, 6}, {1}},
       .op = linear_parts,
       .wrong = {{7, 6}, {5, 6}, {5}, {4, 6}, {5}, {1, 6}, {1}},
       .words = {"[4, 6]", "[5]", "linear"}},
      {.name = "linear_tiles",  // cut into several tiles
       .inputs = {{800, 33}, {300, 33}, {300}},
       .op = linear_parts,
       .wrong = {{800, 33}, {33, 300}, {300}},
       .words = {"[800, 33]", "[33, 300]"}},
      {.name = "gelu", .inputs = {{6, 11}}, .op = [](Vars v) { return ops::gelu(v[0]); }},
      {.name = "gelu_pieces", .inputs = {{130, 140}}, .op = [](Vars v) { return ops::gelu(v[0]); }},
      {.name = "relu", .inputs = {{6, 11}}, .op = [](Vars v) { return ops::activation(v[0], Activation::relu); }},
      {.name = "gelu_new",
       .inputs = {{6, 11}},
       .op = [](Vars v) { return ops::activation(v[0], Activation::gelu_new); }},
      {.name = "silu", .inputs = {{6, 11}}, .op = [](Vars v) { return ops::activation(v[0], Activation::silu); }},
      {.name = "tanh", .inputs = {{6, 11}}, .op = [](Vars v) { return ops::tanh(v[0]); }},
      {.name = "dropout",
       .inputs = {{9, 70}},
       .op =
           [](Vars v) {
             return ops::dropout(v[0], {0.3F, 7, 5});
           }},
      {.name = "dropout_pieces",
       .inputs = {{300, 100}},
       .op =
           [](Vars v) {
             return ops::dropout(v[0], {0.1F, (1LL << 40) + 3, (1LL << 33) + 1});
           }},
      add_norm_case("add_norm", {6, 21}, 1e-12F, {}, {{6, 21}, {7, 21}, {21}, {21}}, {"[6, 21]", "[7, 21]"}),
      add_norm_case("add_norm_dropout", {40, 130}, 1e-12F, {0.2F, 11, 12}, {{4, 130}, {4, 130}, {130}, {131}},
                    {"[4, 130]", "[131]"}),
      add_norm_case("add_norm_eps", {3, 8}, 0.5F, {}, {{3, 8}, {3, 8}, {7}, {8}}, {"[3, 8]", "[7]"}),
      {.name = "embedding",
       .inputs = {{6, 70}, {5, 70}, {2, 70}, {70}, {70}},
       .op = [=](Vars v) { return ops::embedding(ids, segments, offsets, v[0], v[1], v[2], v[3], v[4], 1e-12F); },
       .wrong = {{6, 70}, {5, 71}, {2, 70}, {70}, {70}},
       .words = {"[6, 70]", "[5, 71]", "embedding"}},
      {.name = "embedding_from_position_2",  // without segments; the token 1 is padding
       .inputs = {{6, 70}, {7, 70}, {70}, {70}},
       .op = [=](Vars v) { return ops::embedding(ids, segments, offsets, v[0], v[1], {}, v[2], v[3], 1e-12F, 2); },
       .wrong = {{6, 70}, {7, 71}, {70}, {70}},
       .words = {"[6, 70]", "[7, 71]", "embedding"}},
      attention_case("attention_1_13_size_20", 20, 3, {0, 1, 14}),
      attention_case("attention_0_64_65_size_32", 32, 2, {0, 0, 64, 129}),
      attention_case("attention_130_size_64", 64, 1, {0, 130}),
      attention_case("attention_dropout_1_13_size_20", 20, 3, {0, 1, 14}, {0.3F, 1, 2}),
      attention_case("attention_dropout_64_65_size_32", 32, 2, {0, 64, 129}, {0.1F, 3, 4}),
      attention_case("attention_dropout_130_size_64", 64, 1, {0, 130}, {0.1F, 5, 6}),
      {.name = "checkpoint",
       .inputs = {{6, 11}},
       .op = [](Vars v) { return ops::checkpoint(v[0], [](const Var& x, Tape*) { return ops::gelu(ops::tanh(x)); }); }},
      {.name = "gather_rows",
       .inputs = {{6, 5}},
       .op = [=](Vars v) { return ops::gather_rows(v[0], rows); },
       .wrong = {{4, 5}},
       .words = {"row 4", "[4, 5]", "gather_rows"}},
      {.name = "cross_entropy",
       .inputs = {{5, 3}},
       .op = [=](Vars v) { return ops::cross_entropy(v[0], labels, 8); },
       .wrong = {{4, 3}},
       .words = {"[4, 3]", "5 labels", "cross_entropy"}},
      {.name = "cross_entropy_unlabelled",
       .inputs = {{5, 3}},
       .op =
           [](Vars v) {
             return ops::cross_entropy(v[0], std::vector<int32_t>{0, -1, 2, -1, 0}, 3);
           },
       .wrong = {{4, 3}},
       .words = {"[4, 3]", "5 labels", "cross_entropy"}},
      {.name = "soft_cross_entropy",
       .inputs = {{5, 3}},
       .op =
           [](Vars v) {
             return ops::soft_cross_entropy(v[0], target("soft_cross_entropy", {5, 3}, v), 2.5, 8);
           },
       .wrong = {{4, 3}},
       .words = {"[4, 3]", "[5, 3]", "soft_cross_entropy"}},
      vocabulary_case("vocabulary_cross_entropy", 9),
      vocabulary_case("vocabulary_cross_entropy_chunks", 300),
      soft_vocabulary_case("vocabulary_soft_cross_entropy", 9),
      soft_vocabulary_case("vocabulary_soft_cross_entropy_chunks", 300),
      {.name = "binary_cross_entropy",
       .inputs = {{5, 3}},
       .op =
           [](Vars v) {
             const Tensor yes = Tensor::zeros({5, 3}, v[0].dtype());
             for (const int64_t i : {0, 2, 7, 10, 14})
               v[0].dtype() == DType::f64 ? yes.data<double>()[i] = 1 : yes.data<float>()[i] = 1;
             return ops::binary_cross_entropy(v[0], yes, 15);
           },
       .wrong = {{4, 3}},
       .words = {"[4, 3]", "[5, 3]", "binary_cross_entropy"}},
      {.name = "binary_cross_entropy_soft",  // targets of a teacher, at a temperature
       .inputs = {{5, 3}},
       .op =
           [](Vars v) {
             return ops::binary_cross_entropy(v[0], shares("binary_cross_entropy_soft", {5, 3}, v), 8, 2.5);
           }},
      class_loss_case("weighted_cross_entropy", {.weights = {0.5, 3, 1.25}}),
      class_loss_case("weighted_cross_entropy_zero", {.weights = {0, 3, 1.25}}),
      class_loss_case("weighted_cross_entropy_smoothed", {.weights = {0.5, 3, 1.25}, .smoothing = 0.1}),
      class_loss_case("weighted_cross_entropy_focal", {.weights = {0.5, 3, 1.25}, .gamma = 2}),
      class_loss_case("weighted_cross_entropy_focal_smoothed", {.smoothing = 0.2, .gamma = 0.5}),
      yes_or_no_case("weighted_binary_cross_entropy", {.weights = {0.5, 3, 1.25}}),
      yes_or_no_case("weighted_binary_cross_entropy_smoothed", {.weights = {0.5, 3, 1.25}, .smoothing = 0.1}),
      yes_or_no_case("weighted_binary_cross_entropy_focal", {.weights = {0.5, 3, 1.25}, .gamma = 2}),
      {.name = "mse",
       .inputs = {{6, 11}},
       .op =
           [](Vars v) {
             return ops::mse(v[0], target("mse", {6, 11}, v), 66);
           },
       .wrong = {{6, 12}},
       .words = {"[6, 12]", "[6, 11]", "mse"}},
      {.name = "mse_pieces",
       .inputs = {{260, 130}},
       .op =
           [](Vars v) {
             return ops::mse(v[0], target("mse_pieces", {260, 130}, v), 33800);
           }},
      {.name = "cosine_distance",
       .inputs = {{200, 130}},
       .op =
           [](Vars v) {
             return ops::cosine_distance(v[0], target("cosine_distance", {200, 130}, v), 200);
           },
       .wrong = {{199, 130}},
       .words = {"[199, 130]", "[200, 130]", "cosine_distance"}},
      relation_case("relation_attention_scores", {.left = 0, .right = 1, .heads = 3, .probabilities = false}),
      relation_case("relation_attention_probabilities", {.left = 0, .right = 1, .heads = 3, .probabilities = true}),
      relation_case("relation_values", {.left = 2, .right = 2, .heads = 6, .probabilities = true}),
      mask_case("apply_mask", {5, 13}, {{5, 15}}, {"apply_mask", "[5, 15]", "[9]"}),
      mask_case("apply_mask_pieces", {130, 131}, {{130, 100}}, {"[130, 100]", "[2129]"}),
      {.name = "sum",
       .inputs = {{1}, {1}, {1}},
       .op = [](Vars v) { return ops::sum(v); },
       .wrong = {{1}, {2}, {1}},
       .words = {"[2]", "one element", "sum"}},
      {.name = "sum_weighted",
       .inputs = {{1}, {1}},
       .op =
           [](Vars v) {
             return ops::sum(v, std::array{0.9, -2.5});
           },
       .wrong = {{1}, {2}},
       .words = {"[2]", "one element", "sum"}},
  };
}

}  // namespace espalier
