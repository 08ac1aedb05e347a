// SPDX-License-Identifier: Apache-2.0
// Engine: the encoder's forward pass without tape, for a model whose weights stay as they are. Weights are packed, and
// what lies between the products crosses memory as seldom and as narrow as it can. The bits are those of the ops on the
// same weights. Owned by a Bert that is prepared for inference, and by an edge model.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "nn/engine/engine_layer.h"
#include "nn/packed_batch.h"

namespace espalier {

class Engine {
 public:
  explicit Engine(EngineWeights weights);  // at least one layer

  // Last hidden states [T, H] f32, or [rows, H] of these rows of the batch only: distinct and in order. Several threads
  // may call it at once. Throws as ops::embedding does.
  Tensor operator()(const PackedBatch& batch, std::span<const int32_t> rows) const;

 private:
  // What belongs to one group of the batch's sentences.
  struct Part {
    SentenceGroup group;
    int64_t first_token = 0, first_row = 0;  // in the batch; in the result
  };
  std::vector<Part> cut(const PackedBatch& batch, std::span<const int32_t> rows) const;
  void run(const PackedBatch& batch, const Part& part, std::span<const int32_t> place, const Tensor& result) const;
  // Rows begin … end of a part: the embeddings of its tokens, before a projection, and their sums before the layer
  // norm.
  void embed(const PackedBatch& batch, int64_t first_token, std::span<const int32_t> place, int64_t begin, int64_t end,
             const Rows& sum, const Rows& x) const;

  std::unique_ptr<Workspace> take_workspace() const;
  void give_back(std::unique_ptr<Workspace> space) const;

  EngineWeights weights_;
  int64_t hidden_;
  std::optional<PackedLinear> projection_;
  std::vector<EngineLayer> layers_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Workspace>> free_;
};

}  // namespace espalier
