// SPDX-License-Identifier: Apache-2.0
// GradientSum: the gradients of a step whose batches are cut into lanes (see optim/lanes.h), summed in the tree that
// their positions fix, over the lanes of this process and then over all ranks. So any number of ranks gives the bits
// that one process gives. Used by take_step.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>

#include "nn/parameter.h"
#include "optim/lanes.h"

namespace espalier {

class GradientExchange;

class GradientSum {
 public:
  // The first store is the model's; the others belong to compressors. With bf16, each lane's gradients and each sum of
  // the tree are rounded to it, and travel so. Throws Error unless the number of lanes is a power of two that is no
  // smaller than the number of ranks. The stores outlive it; none gets further parameters.
  GradientSum(std::vector<ParameterStore*> stores, int64_t lanes, DType dtype);
  ~GradientSum();

  int64_t lanes() const { return lanes_; }

  // Calls run_lane for each of this rank's lanes that has something to do, of which the stores get the gradients, and
  // leaves the sum over all lanes in the stores: of what is dealt out (see optim/pieces.h), only in the pieces that
  // this rank owns. `done` is for the lane's last backward pass: what is complete is on its way to other ranks
  // meanwhile. has_work[lane] is the same on all ranks.
  using RunLane = std::function<void(int64_t lane, const Tape::LeafDone& done)>;
  void run(const std::vector<uint8_t>& has_work, const RunLane& run_lane);

 private:
  using PutAside = std::vector<ParameterStore::Gradients>;  // of each store
  void run_block(const Block& block, const std::vector<uint8_t>& has_work, const RunLane& run_lane);
  void swap_with(PutAside& gradients);

  std::vector<ParameterStore*> stores_;
  int64_t lanes_;
  DType dtype_;
  struct Place {
    size_t store, index;
  };
  std::unordered_map<const LeafGrad*, Place> places_;
  std::vector<PutAside> free_;
  std::unique_ptr<GradientExchange> exchange_;  // null: one process
};

}  // namespace espalier
