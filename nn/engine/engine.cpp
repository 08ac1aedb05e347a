// SPDX-License-Identifier: Apache-2.0
#include "nn/engine/engine.h"

#include <algorithm>

#include "core/kernels/elementwise.h"
#include "core/kernels/layer_norm.h"
#include "core/ops/embedding_rows.h"
#include "core/parallel.h"

namespace espalier {
namespace {

// Tokens of a group: what lies between two products stays in a core's cache, and a weight that comes from memory meets
// enough of them.
constexpr int64_t most_tokens = 256;

// The tokens of the thread that has the most to do, if whoever is free takes the next part.
int64_t longest_share(std::span<const int64_t> parts, int64_t threads) {
  std::vector<int64_t> shares(static_cast<size_t>(threads));
  for (const int64_t tokens : parts) *std::min_element(shares.begin(), shares.end()) += tokens;
  return *std::max_element(shares.begin(), shares.end());
}

}  // namespace

Engine::Engine(EngineWeights weights) : weights_(std::move(weights)), hidden_(weights_.hidden()) {
  if (weights_.projection) projection_.emplace(std::vector{*weights_.projection}, weights_.compute);
  for (const LayerWeights& layer : weights_.layers) layers_.emplace_back(layer, weights_);
}

Tensor Engine::operator()(const PackedBatch& batch, std::span<const int32_t> rows) const {
  const int64_t tokens = batch.tokens();
  CHECK(batch.segments.size() == batch.ids.size(), "embedding: ", batch.ids.size(), " ids and ", batch.segments.size(),
        " segments");
  ops::check_range("id", batch.ids,
                   weights_.word_integers != nullptr ? weights_.word_integers->out() : weights_.word.rows());
  if (weights_.segment) ops::check_range("segment", batch.segments, weights_.segment.rows());
  const std::vector<int32_t> place =
      ops::places(batch.ids, batch.offsets, weights_.position.rows(), weights_.first_position);
  Tensor result({rows.empty() ? tokens : std::ssize(rows), hidden_});
  const std::vector<Part> parts = cut(batch, rows);
  std::vector<int64_t> lengths;
  lengths.reserve(parts.size());
  for (const Part& part : parts) lengths.push_back(part.group.rows());
  const auto run_part = [&](int64_t i) { run(batch, parts[i], place, result); };
  if (longest_share(lengths, threads()) * threads() * 4 <= tokens * 5)  // no thread waits long for another
    parallel_for(std::ssize(parts), run_part);
  else
    with_team([&] {
      for (int64_t i = 0; i < std::ssize(parts); ++i) run_part(i);
    });
  return result;
}

std::vector<Engine::Part> Engine::cut(const PackedBatch& batch, std::span<const int32_t> rows) const {
  const int64_t tokens = batch.tokens(), by_size = (tokens + most_tokens - 1) / most_tokens,
                groups = (by_size + threads() - 1) / threads() * threads();  // all threads end at about the same time
  std::vector<Part> parts;
  auto row = rows.begin();
  for (int64_t b = 0; b < batch.sentences();) {
    Part part;
    part.first_token = batch.offsets[b];
    part.first_row = rows.empty() ? batch.offsets[b] : row - rows.begin();
    part.group.offsets = {0};
    const int64_t end = tokens * (std::ssize(parts) + 1) / groups;  // of the group, as far as sentences allow
    do {
      ++b;
      part.group.offsets.push_back(batch.offsets[b] - static_cast<int32_t>(part.first_token));
    } while (b < batch.sentences() && (batch.offsets[b] + batch.offsets[b + 1]) / 2 < end);
    for (; row != rows.end() && *row < batch.offsets[b]; ++row)
      part.group.chosen.push_back(*row - static_cast<int32_t>(part.first_token));
    part.group.first_tokens = std::equal(part.group.chosen.begin(), part.group.chosen.end(), part.group.offsets.begin(),
                                         part.group.offsets.end() - 1);
    if (part.group.rows() > 0 && (rows.empty() || !part.group.chosen.empty())) parts.push_back(std::move(part));
  }
  return parts;
}

void Engine::run(const PackedBatch& batch, const Part& part, std::span<const int32_t> place,
                 const Tensor& result) const {
  std::unique_ptr<Workspace> space = take_workspace();
  const int64_t rows = part.group.rows();
  const Rows x = space->rows(Workspace::hidden, rows, hidden_, DType::f32);
  const Rows out = {.type = DType::f32,
                    .rows = part.group.chosen.empty() ? rows : std::ssize(part.group.chosen),
                    .cols = hidden_,
                    .stride = hidden_,
                    .data = result.raw() + part.first_row * hidden_ * static_cast<int64_t>(sizeof(float))};
  const int64_t width = weights_.position.cols();
  const Rows sum = space->rows(Workspace::result, rows, width, DType::f32),
             embedded = projection_ ? space->rows(Workspace::middle, rows, width, DType::f32) : x;
  const PackedLinear& reader = projection_ ? *projection_ : layers_.front().first();
  Rows input = reader.input(rows, *space, Workspace::input);
  parallel_rows(rows, row_grain(width), [&](int64_t begin, int64_t end) {
    embed(batch, part.first_token, place, begin, end, sum, embedded);
    reader.convert(embedded, begin, end, input);
  });
  if (projection_) {
    projection_->multiply(input, x);
    const PackedLinear& first = layers_.front().first();
    input = first.input(rows, *space, Workspace::input);
    parallel_rows(rows, row_grain(hidden_), [&](int64_t begin, int64_t end) { first.convert(x, begin, end, input); });
  }
  for (size_t i = 0; i < layers_.size(); ++i)
    input = layers_[i](part.group, x, input, i + 1 < layers_.size() ? &layers_[i + 1] : nullptr, out, *space);
  give_back(std::move(space));
}

void Engine::embed(const PackedBatch& batch, int64_t first_token, std::span<const int32_t> place, int64_t begin,
                   int64_t end, const Rows& sum, const Rows& x) const {
  for (int64_t r = begin; r < end; ++r) {
    const auto t = static_cast<size_t>(first_token + r);
    auto* const z = sum.at<float>(r);
    const int64_t width = sum.cols;
    if (weights_.word_integers != nullptr)
      weights_.word_integers->row(batch.ids[t], z);
    else
      std::copy_n(weights_.word.data<float>() + batch.ids[t] * width, width, z);
    kernels::add(width, weights_.position.data<float>() + place[t] * width, z);
    if (weights_.segment) kernels::add(width, weights_.segment.data<float>() + batch.segments[t] * width, z);
    kernels::layer_norm_forward(kernels::LayerNormRows<float, float>{.cols = width,
                                                                     .residual = z,
                                                                     .gamma = weights_.norm.weight.data<float>(),
                                                                     .beta = weights_.norm.bias.data<float>(),
                                                                     .eps = weights_.eps,
                                                                     .dropout = {},
                                                                     .y = x.at<float>(r)},
                                0, 1);
  }
}

std::unique_ptr<Workspace> Engine::take_workspace() const {
  const std::scoped_lock lock(mutex_);
  if (free_.empty()) return std::make_unique<Workspace>();
  std::unique_ptr<Workspace> space = std::move(free_.back());
  free_.pop_back();
  return space;
}

void Engine::give_back(std::unique_ptr<Workspace> space) const {
  const std::scoped_lock lock(mutex_);
  free_.push_back(std::move(space));
}

}  // namespace espalier
