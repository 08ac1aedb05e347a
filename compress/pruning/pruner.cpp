// SPDX-License-Identifier: Apache-2.0
#include "compress/pruning/pruner.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "core/parallel.h"

namespace espalier {
namespace {

std::unique_ptr<Criterion> criterion_of(const PruneOptions& options) {
  if (options.method == "magnitude") return magnitude_criterion();
  if (options.method == "random") return random_criterion(options.seed);
  if (options.method == "taylor") return taylor_criterion();
  if (options.method == "wanda") return wanda_criterion();
  const bool soft = options.method == "soft-movement";
  CHECK(soft || options.method == "movement", "prune: method '", options.method,
        "': choose magnitude, random, taylor, wanda, movement or soft-movement");
  return movement_criterion(
      {.learning_rate = options.score_rate, .soft = soft, .regularization = soft ? options.regularization : 0});
}

}  // namespace

bool PruneSchedule::due(int64_t step) const {
  if (kind == "once") return step == begin;
  return step >= begin && step <= end && ((step - begin) % interval == 0 || step == end);
}

double PruneSchedule::amount(double full, int64_t step) const {
  if (kind == "once" || step >= end) return full;
  const double left = 1 - static_cast<double>(step - begin) / static_cast<double>(end - begin);
  return full + (initial - full) * (kind == "cubic" ? left * left * left : left);
}

bool PruneOptions::learns() const { return criterion_of(*this)->learns(); }

void PruneOptions::check(const std::string& prefix) const {
  const auto option = [&](const char* name) { return prefix + name + ' '; };
  const Structure s = Structure::parse(structure);
  const bool thresholds = criterion_of(*this)->thresholds();
  CHECK(score_rate > 0 && std::isfinite(score_rate), option("score-rate"), score_rate,
        ": a positive number is expected");
  CHECK(regularization >= 0 && std::isfinite(regularization), option("regularization"), regularization,
        ": 0 or a positive number is expected");
  CHECK(regularization == 0 || thresholds, option("regularization"), regularization, ": is for soft-movement only");
  CHECK(!thresholds || amount > 0, option("amount"), amount,
        ": soft-movement takes a threshold in (0, 1), such as 0.1");
  CHECK(!thresholds || (scope == "layer" && !s.fixed_amount()), option("method"), method,
        ": is a threshold for each unit by itself; it goes with neither a scope nor N:M");
  CHECK(!learns() || schedule.kind != "once" || schedule.begin > 0, option("begin"), schedule.begin, ": ", method,
        " learns its scores from the steps before; prune later, or step by step");
  CHECK(!learns() || schedule.begin > 0 || schedule.initial == 0, option("initial"), schedule.initial, ": ", method,
        " knows nothing yet at step 0; begin later, or with 0");
  if (s.fixed_amount()) {
    CHECK(amount < 0, option("amount"), amount, ": the structure ", structure,
          " is an amount by itself; leave one out");
    CHECK(schedule.kind == "once", option("schedule"), schedule.kind, ": ", structure, " comes at once; choose once");
    CHECK(scope == "layer", option("scope"), scope, ": ", structure, " is ranked within ", s.m,
          " weights; choose layer");
  } else {
    CHECK(amount >= 0 && amount < 1, option("amount"), amount, ": a share in [0, 1) is expected, such as 0.5");
  }
  CHECK(scope == "layer" || scope == "global" || scope == "row", option("scope"), scope,
        ": choose layer, global or row");
  CHECK(scope != "row" || s.kind == Structure::Kind::weight, option("scope"), scope,
        ": is for single weights, not for ", s.describe());
  CHECK(s.kind != Structure::Kind::layer || layers.empty(), option("layers"), "names parameters, and ", structure,
        " ranks whole layers: leave one out");
  CHECK(layer_limit > 0 && layer_limit <= 1, option("layer-limit"), layer_limit, ": a share in (0, 1] is expected");
  CHECK(layer_limit == 1 || scope == "global", option("layer-limit"), layer_limit, ": is for global ranking; add ",
        prefix, "scope global");
  const std::string& kind = schedule.kind;
  CHECK(kind == "once" || kind == "linear" || kind == "cubic", option("schedule"), kind,
        ": choose once, linear or cubic");
  CHECK(schedule.begin >= 0, option("begin"), schedule.begin, ": a step from 0 on is expected");
  if (kind == "once") {
    CHECK(schedule.initial == 0, option("initial"), schedule.initial, ": is for linear and cubic schedules");
    return;
  }
  CHECK(schedule.end == 0 || schedule.end > schedule.begin, option("end"), schedule.end, ": a step after the first, ",
        schedule.begin, ", is expected");
  CHECK(schedule.interval >= 1, option("interval"), schedule.interval, ": at least 1 step is expected");
  CHECK(schedule.initial >= 0 && schedule.initial <= amount, option("initial"), schedule.initial,
        ": a share from 0 to the amount ", amount, " is expected");
}

Pruner::Pruner(const PruneOptions& options) : Pruner(options, criterion_of(options)) {}

Pruner::Pruner(const PruneOptions& options, std::unique_ptr<Criterion> criterion)
    : options_(options), structure_(Structure::parse(options.structure)), criterion_(std::move(criterion)) {
  if (structure_.fixed_amount()) options_.amount = structure_.amount();
}

void Pruner::attach(Bert& model, ParameterStore& store) {
  pools_ = pools_of(structure_, options_.layers, model, store);
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
    if (structure_.kind == Structure::Kind::n_of_m) {
      keep.push_back(keep_n_of_m(pool, structure_.n, structure_.m));
    } else if (options_.scope == "row") {
      const int64_t cols = pools_[i].members.front().parameter->shape.cols(), count = count_of(amount, cols);
      CHECK(count < cols, "prune: amount ", amount, " would remove all ", cols, " weights of each row of ", pool.name,
            "; use a smaller amount");
      keep.push_back(keep_n_of_m(pool, cols - count, cols));
    } else if (criterion_->thresholds()) {  // sigmoid(mean score) below the amount goes
      keep.push_back(
          keep_above(pool, std::log(amount / (1 - amount)) * static_cast<double>(pools_[i].scored_weights())));
    }
  }
  return keep.empty() ? keep_highest(ranked, amount, options_.scope == "global") : keep;
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
  const bool across = options_.scope == "global" || structure_.kind == Structure::Kind::layer;
  text << "prune: ";
  if (criterion_->thresholds())
    text << structure_.describe() << " below the threshold " << options_.amount << " by " << criterion_->describe();
  else
    text << 100 * options_.amount << " % of " << structure_.describe() << " by " << criterion_->describe()
         << ", ranked " << (across ? "over all layers" : "in each " + options_.scope);
  text << "; " << held_.size() << " tensors (" << weights << " parameters); ";
  const PruneSchedule& s = options_.schedule;
  if (s.kind == "once")
    text << "at step " << s.begin;
  else
    text << s.kind << " from " << 100 * s.initial << " % at step " << s.begin << " to step " << s.end << " every "
         << (s.interval == 1 ? "step" : std::to_string(s.interval) + " steps");
  return text.str();
}

}  // namespace espalier
