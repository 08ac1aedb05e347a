// SPDX-License-Identifier: Apache-2.0
#include "compress/pruning/pruner.h"

#include <algorithm>
#include <cmath>

#include "core/bitmap.h"
#include "core/check.h"
#include "core/dealt.h"
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

// Each rank scores its own pools.
void Pruner::prune(double amount) {
  std::vector<RankedPool> ranked(pools_.size());
  parallel_for(std::ssize(pools_), [&](int64_t i) {
    const Pool& pool = pools_[static_cast<size_t>(i)];
    const auto limit = static_cast<int64_t>(std::floor(options_.layer_limit * static_cast<double>(pool.units) + 1e-9));
    RankedPool& to = ranked[static_cast<size_t>(i)] = {pool.name, {}, std::min(limit, pool.units - 1), pool.units};
    if (!is_own(i)) return;
    std::vector<Tensor> bits;
    for (const Member& member : pool.members) bits.push_back(held(*member.parameter));
    to.scores = pool.unit_scores(*criterion_, bits);
    to.limit = std::max<int64_t>(std::ranges::count(to.scores, pruned_already), to.limit);
    to.elsewhere = 0;
  });
  Dealt<int64_t> limits;  // they depend on the scores
  for (int64_t i = 0; i < std::ssize(ranked); ++i)
    if (is_own(i)) limits.add(std::span(&ranked[static_cast<size_t>(i)].limit, 1));
  const auto all = limits.gather();
  for (size_t i = 0; i < ranked.size(); ++i) ranked[i].limit = all[i].front();
  const auto keep = of_all(chosen(ranked, amount));
  for (size_t i = 0; i < pools_.size(); ++i)
    for (const Member& member : pools_[i].members)
      mask_of(*member.parameter).set(Pool::member_bits(member, keep[i], held(*member.parameter)));
}

// Flags of every rank's pools.
Pruner::Flags Pruner::of_all(Flags keep) const {
  if (ranks() == 1) return keep;
  Dealt<uint8_t> dealt;
  for (size_t i = 0; i < keep.size(); ++i) {
    if (!is_own(static_cast<int64_t>(i))) continue;
    const Tensor bits = no_bits(std::ssize(keep[i]));
    for (size_t u = 0; u < keep[i].size(); ++u)
      if (keep[i][u] != 0) set_bit(bits, static_cast<int64_t>(u));
    dealt.add(bits.span<uint8_t>());
  }
  const auto all = dealt.gather();
  for (size_t i = 0; i < keep.size(); ++i) {
    keep[i].resize(static_cast<size_t>(pools_[i].units));
    for (size_t u = 0; u < keep[i].size(); ++u) keep[i][u] = all[i][u / 8] >> (u % 8) & 1;
  }
  return keep;
}

Pruner::Flags Pruner::chosen(std::span<const RankedPool> ranked, double amount) const {
  const bool n_of_m = options_.structure.kind == Structure::Kind::n_of_m;
  if (!n_of_m && options_.scope != RankingScope::row && !criterion_->thresholds())
    return keep_highest(ranked, amount, options_.scope == RankingScope::global);
  Flags keep(pools_.size());
  for (size_t i = 0; i < pools_.size(); ++i) {
    const RankedPool& pool = ranked[i];
    if (pool.elsewhere > 0) continue;
    if (n_of_m) {
      keep[i] = keep_n_of_m(pool, options_.structure.n, options_.structure.m);
    } else if (options_.scope == RankingScope::row) {
      const int64_t cols = pools_[i].members.front().parameter->shape.cols(), count = count_of(amount, cols);
      CHECK(count < cols, "prune: amount ", amount, " would remove all ", cols, " weights of each row of ", pool.name,
            "; use a smaller amount");
      keep[i] = keep_n_of_m(pool, cols - count, cols);
    } else {  // sigmoid(mean score) below the amount goes
      keep[i] = keep_above(pool, std::log(amount / (1 - amount)) * static_cast<double>(pools_[i].scored_weights()));
    }
  }
  return keep;
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
