// SPDX-License-Identifier: Apache-2.0
#include "compress/pruning/pruner.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "core/parallel.h"

namespace espalier {

Pruner::Pruner(const PruneOptions& options) : options_(options), criterion_(options.method->make(options.seed)) {
  if (options_.structure.fixed_amount()) options_.amount = options_.structure.amount();
}

void Pruner::attach(Bert& model, ParameterStore& store) {
  pools_ = pools_of(options_.structure, options_.layers, model, store);
  for (const Pool& pool : pools_)
    for (const Member& member : pool.members) held_.push_back({member.parameter, mask_of(*member.parameter).bits()});
  std::vector<Parameter*> scored;
  for (const Pool& pool : pools_)
    for (const Member& member : pool.members)
      if (member.scored) scored.push_back(member.parameter);
  criterion_->attach(model, scored);
}

const Tensor& Pruner::held(const Parameter& parameter) const {
  return std::find_if(held_.begin(), held_.end(), [&](const Held& h) { return h.parameter == &parameter; })->bits;
}

void Pruner::before_forward(int64_t step) {
  if (options_.schedule.due(step)) prune(options_.schedule.amount(options_.amount, step));
  if (!complete(step + 1)) return;
  criterion_->finish();
  for (const Held& h : held_) mask_of(*h.parameter).fix(*h.parameter);
}

void Pruner::after_backward(int64_t step) {
  if (!complete(step)) criterion_->after_backward();
}

void Pruner::after_step(int64_t step) {
  if (!complete(step)) criterion_->after_step();
}

void Pruner::prune(double amount) {
  std::vector<RankedPool> ranked(pools_.size());
  parallel_for(std::ssize(pools_), [&](int64_t i) {
    const Pool& pool = pools_[static_cast<size_t>(i)];
    std::vector<Tensor> bits;
    for (const Member& member : pool.members) bits.push_back(held(*member.parameter));
    const auto limit = static_cast<int64_t>(std::floor(options_.layer_limit * static_cast<double>(pool.units) + 1e-9));
    std::vector<float> scores = pool.unit_scores(*criterion_, bits);
    const int64_t gone = std::ranges::count(scores, pruned_already);
    ranked[static_cast<size_t>(i)] = {pool.name, std::move(scores), std::max(gone, std::min(limit, pool.units - 1))};
  });
  const auto keep = chosen(ranked, amount);
  for (size_t i = 0; i < pools_.size(); ++i)
    for (const Member& member : pools_[i].members)
      mask_of(*member.parameter).set(Pool::member_bits(member, keep[i], held(*member.parameter)));
}

std::vector<std::vector<uint8_t>> Pruner::chosen(std::span<const RankedPool> ranked, double amount) const {
  std::vector<std::vector<uint8_t>> keep;
  for (size_t i = 0; i < pools_.size(); ++i) {
    const RankedPool& pool = ranked[i];
    if (options_.structure.kind == Structure::Kind::n_of_m) {
      keep.push_back(keep_n_of_m(pool, options_.structure.n, options_.structure.m));
    } else if (options_.scope == RankingScope::row) {
      const int64_t cols = pools_[i].members.front().parameter->shape.cols(), count = count_of(amount, cols);
      CHECK(count < cols, "prune: amount ", amount, " would remove all ", cols, " weights of each row of ", pool.name,
            "; use a smaller amount");
      keep.push_back(keep_n_of_m(pool, cols - count, cols));
    } else if (criterion_->thresholds()) {  // sigmoid(mean score) below the amount goes
      keep.push_back(
          keep_above(pool, std::log(amount / (1 - amount)) * static_cast<double>(pools_[i].scored_weights())));
    }
  }
  return keep.empty() ? keep_highest(ranked, amount, options_.scope == RankingScope::global) : keep;
}

void Pruner::save(const Hdf5Group& group) const {
  const Hdf5Group masks = group.create_group("masks");
  for (const Held& h : held_) mask_of(*h.parameter).save(masks, h.parameter->name);
  criterion_->save(group.create_group("criterion"));
}

void Pruner::load(const Hdf5Group& group) {
  const Hdf5Group masks = group.group("masks");
  for (const Held& h : held_) mask_of(*h.parameter).load(masks, h.parameter->name);
  criterion_->load(group.group("criterion"));
}

double Pruner::sparsity() const {
  int64_t kept = 0, all = 0;
  for (const Held& h : held_) {
    kept += mask_of(*h.parameter).kept();
    all += h.parameter->shape.size();
  }
  return all == 0 ? 0 : 1 - static_cast<double>(kept) / static_cast<double>(all);
}

std::string Pruner::describe() const {
  std::ostringstream text;
  int64_t weights = 0;
  for (const Held& h : held_) weights += h.parameter->shape.size();
  const bool across = options_.scope == RankingScope::global || options_.structure.kind == Structure::Kind::layer;
  text << "prune: ";
  if (criterion_->thresholds())
    text << options_.structure.describe() << " below the threshold " << options_.amount << " by "
         << criterion_->describe();
  else
    text << 100 * options_.amount << " % of " << options_.structure.describe() << " by " << criterion_->describe()
         << ", ranked " << (across ? "over all layers" : "in each " + text_of(options_.scope));
  text << "; " << held_.size() << " tensors (" << weights << " parameters); ";
  const PruneSchedule& s = options_.schedule;
  if (s.kind == PruneSchedule::Kind::once)
    text << "at step " << s.begin;
  else
    text << text_of(s.kind) << " from " << 100 * s.initial << " % at step " << s.begin << " to step " << s.end
         << " every " << (s.interval == 1 ? "step" : std::to_string(s.interval) + " steps");
  return text.str();
}

}  // namespace espalier
