// SPDX-License-Identifier: Apache-2.0
#include "optim/gradient_sum.h"

#include <bit>

#include "core/check.h"
#include "core/ranks.h"
#include "optim/gradient_exchange.h"
#include "optim/gradient_parts.h"

namespace espalier {

GradientSum::GradientSum(std::vector<ParameterStore*> stores, int64_t lanes, DType dtype)
    : stores_(std::move(stores)), lanes_(lanes), dtype_(dtype) {
  CHECK(lanes > 0 && std::has_single_bit(static_cast<uint64_t>(lanes)), "micro-batches: ", lanes,
        "; expected a power of two, such as 8");
  CHECK(lanes >= ranks(), ranks(), " ranks for ", lanes,
        " micro-batches: expected at least one for each; start fewer ranks, or give more --micro-batches");
  for (size_t store = 0; store < stores_.size(); ++store) {
    stores_[store]->make_gradients();
    for (size_t i = 0; i < stores_[store]->all().size(); ++i) places_[&stores_[store]->all()[i]->grad] = {store, i};
  }
  if (ranks() > 1) exchange_ = std::make_unique<GradientExchange>(stores_, lanes, dtype);
}

GradientSum::~GradientSum() = default;

void GradientSum::run(const std::vector<uint8_t>& has_work, const RunLane& run_lane) {
  if (exchange_) exchange_->begin(has_work);
  for (const Block& block : blocks_of(lanes_, ranks()))
    if (block.rank == rank()) run_block(block, has_work, run_lane);
  if (exchange_) exchange_->finish();
}

void GradientSum::swap_with(PutAside& gradients) {
  for (size_t i = 0; i < stores_.size(); ++i) stores_[i]->swap_gradients(gradients[i]);
}

// Lane i completes as many nodes of the tree as its number ends in ones: their left halves were put aside.
void GradientSum::run_block(const Block& block, const std::vector<uint8_t>& has_work, const RunLane& run_lane) {
  std::vector<PutAside> aside;
  for (ParameterStore* store : stores_) store->clear_gradients();
  for (int64_t i = 0; i < block.size; ++i) {
    const auto complete = static_cast<size_t>(std::countr_one(static_cast<uint64_t>(i)));
    const bool last = i + 1 == block.size;
    std::vector<std::vector<uint8_t>> seen(stores_.size());
    for (size_t s = 0; s < stores_.size(); ++s) seen[s].resize(stores_[s]->all().size());
    const auto add_up = [&](size_t s, size_t p) {
      if (std::exchange(seen[s][p], uint8_t{1}) != 0) return;
      LeafGrad& gradient = stores_[s]->all()[p]->grad;
      if (dtype_ == DType::bf16) round_to_bf16(gradient);
      for (size_t node = 0; node < complete; ++node) {
        add_gradient(aside[aside.size() - 1 - node][s].leaves[p], gradient);
        if (dtype_ == DType::bf16) round_to_bf16(gradient);
      }
      if (last && exchange_) exchange_->ready(block, s, p);
    };
    if (has_work[static_cast<size_t>(block.first + i)] != 0)
      run_lane(block.first + i, [&](LeafGrad& gradient) {
        if (const auto place = places_.find(&gradient); place != places_.end())
          add_up(place->second.store, place->second.index);
      });
    for (size_t s = 0; s < stores_.size(); ++s)
      for (size_t p = 0; p < seen[s].size(); ++p) add_up(s, p);
    for (size_t node = 0; node < complete; ++node) {
      free_.push_back(std::move(aside.back()));
      aside.pop_back();
    }
    if (last) break;
    if (free_.empty()) {
      free_.emplace_back();
      for (const ParameterStore* store : stores_) free_.back().push_back(store->new_gradients());
    }
    aside.push_back(std::move(free_.back()));
    free_.pop_back();
    swap_with(aside.back());
    for (ParameterStore* store : stores_) store->clear_gradients();
  }
  if (exchange_) exchange_->end(block);
}

}  // namespace espalier
