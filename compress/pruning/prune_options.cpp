// SPDX-License-Identifier: Apache-2.0
#include "compress/pruning/prune_options.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace espalier {
namespace {

using Kind = PruneSchedule::Kind;

// The rows of each criterion's own options, which count with this criterion only.
void declare_methods(Options& rows, const std::vector<CriterionRow>& methods, const Choice<CriterionRow>& chosen) {
  const Options::Group group = rows.group();
  for (const CriterionRow& row : methods) {
    if (!row.options) continue;
    Options::Group own = group;
    own.on = [on = group.on, &chosen, name = row.name] { return (!on || on()) && chosen->name == name; };
    own.why = "is for " + row.name;
    rows.begin(own);
    row.options(rows);
  }
  rows.begin(group);
}

}  // namespace

bool PruneSchedule::due(int64_t step) const {
  if (kind == Kind::once) return step == begin;
  return step >= begin && step <= end && ((step - begin) % interval == 0 || step == end);
}

double PruneSchedule::amount(double full, int64_t step) const {
  if (kind == Kind::once || step >= end) return full;
  const double left = 1 - static_cast<double>(step - begin) / static_cast<double>(end - begin);
  return full + (initial - full) * (kind == Kind::cubic ? left * left * left : left);
}

void PruneOptions::declare(Options& rows, bool training, const std::vector<CriterionRow>& methods) {
  const std::string prefix = rows.group().prefix;
  const auto gradual = [this] { return schedule.kind != Kind::once; };
  auto amounts = rows.add("amount", amount, "share of the units that goes, in [0, 1); N:M says it by itself");
  amounts.is_switch().no_default().range(
      [this, &row = amounts.option()] { return (amount >= 0 && amount < 1) || (amount == -1 && !row.given); },
      "a share in [0, 1) is expected, such as 0.5");
  rows.choose("method", method, methods, "what goes first");
  declare_methods(rows, methods, method);
  rows.add("structure", structure,
           std::string("units: weight; N:M such as 2:4 (N of M weights along the input stay); block:RxC such as "
                       "block:32x32; head; neuron") +
               (training ? "" : "; layer, ranked by the sum over its matrices and cut out"));
  rows.add("scope", scope, "ranking within each layer, over all of them (global) or within each row");
  rows.add("layer-limit", layer_limit, "global ranking takes at most this share of a layer's units")
      .range([this] { return layer_limit > 0 && layer_limit <= 1; }, "a share in (0, 1] is expected");
  rows.add("layers", layers,
           "names of parameters, with * for any text, such as 'bert.encoder.layer.0.*.weight'; default: the encoder's "
           "linear layers");
  rows.rule([this, prefix, training] {
    CHECK(training || !method->trains, "--method ", method->name,
          ": learns in training, with train_sst2 --prune.method; choose another one");
    check_together(prefix);
  });
  if (!training) return;
  rows.rule([this, prefix] { check_schedule(prefix); });
  rows.add("schedule", schedule.kind,
           "once at step begin, or linear or cubic from the initial amount at begin to the full one at end");
  rows.add("begin", schedule.begin,
           "step of the first pruning, or its share of the run such as 2%; training before it is dense")
      .range([this] { return schedule.begin.is_share() || schedule.begin >= 0; }, "a step from 0 on is expected");
  rows.add("end", schedule.end,
           "step, or share, of the last pruning, after which the masks are fixed; 0: when two thirds of all steps are "
           "done")
      .only_if(gradual, "is for linear and cubic schedules");
  rows.add("interval", schedule.interval,
           "steps from one pruning to the next; default: 1 for methods that learn their scores in training, else 100, "
           "or a tenth of the schedule where that is less")
      .no_default()
      .at_least(1)
      .only_if(gradual, "is for linear and cubic schedules")
      .fill([this] { open_interval = true; });
  rows.add("initial", schedule.initial, "amount at step begin, for linear and cubic")
      .only_if(gradual, "is for linear and cubic schedules");
}

void PruneOptions::check(const std::string& prefix) const {
  CHECK(on(), "--", prefix, "amount ", amount, ": a share in [0, 1) is expected, such as 0.5");
  PruneOptions copy;
  Options rows;
  rows.begin({.prefix = prefix});
  copy.declare(rows, true, {*method.operator->()});
  copy = *this;
  rows.check_values();
}

void PruneOptions::check_together(const std::string& prefix) const {
  const auto option = [&](const char* name) { return "--" + prefix + name + ' '; };
  const Structure& s = structure;
  const auto criterion = method->make(seed);
  if (criterion->thresholds()) {
    CHECK(amount > 0, option("amount"), amount, ": ", method->name, " takes a threshold in (0, 1), such as 0.1");
    CHECK(scope == RankingScope::layer && !s.fixed_amount(), option("method"), method->name,
          ": is a threshold for each unit by itself; it goes with neither a scope nor N:M");
  }
  if (s.fixed_amount()) {
    CHECK(amount < 0, option("amount"), amount, ": the structure ", s, " is an amount by itself; leave one out");
    CHECK(schedule.kind == Kind::once, option("schedule"), text_of(schedule.kind), ": ", s,
          " comes at once; choose once");
    CHECK(scope == RankingScope::layer, option("scope"), text_of(scope), ": ", s, " is ranked within ", s.m,
          " weights; choose layer");
  }
  CHECK(scope != RankingScope::row || s.kind == Structure::Kind::weight, option("scope"), text_of(scope),
        ": is for single weights, not for ", s.describe());
  CHECK(s.kind != Structure::Kind::layer || layers.empty(), option("layers"), "names parameters, and ", s,
        " ranks whole layers: leave one out");
  CHECK(layer_limit == 1 || scope == RankingScope::global, option("layer-limit"), layer_limit,
        ": is for global ranking; add --", prefix, "scope global");
}

void PruneOptions::check_schedule(const std::string& prefix) const {
  const auto option = [&](const char* name) { return "--" + prefix + name + ' '; };
  const PruneSchedule& t = schedule;
  const bool learning = learns();
  const bool known = !t.begin.is_share() && !t.end.is_share();  // else their order is seen when the run is known
  const int64_t begin = known ? int64_t{t.begin} : 1;
  CHECK(!learning || t.kind != Kind::once || begin > 0, option("begin"), t.begin, ": ", method->name,
        " learns its scores from the steps before; prune later, or step by step");
  CHECK(!learning || begin > 0 || t.initial == 0, option("initial"), t.initial, ": ", method->name,
        " knows nothing yet at step 0; begin later, or with 0");
  if (t.kind == Kind::once) return;
  CHECK(!known || t.end == 0 || t.end > t.begin, option("end"), t.end, ": a step after the first, ", t.begin,
        ", is expected");
  CHECK(t.initial >= 0 && t.initial <= amount, option("initial"), t.initial, ": a share from 0 to the amount ", amount,
        " is expected");
}

PruneOptions PruneOptions::for_run(int64_t steps, const std::string& prefix) const {
  PruneOptions prune = *this;
  PruneSchedule& s = prune.schedule;
  s.begin = s.begin.resolved(steps);
  s.end = s.end.is_share() ? std::max<int64_t>(1, s.end.resolved(steps)) : int64_t{s.end};  // 0: two thirds
  prune.check_schedule(prefix);
  if (s.kind != Kind::once) {
    if (s.end == 0) s.end = std::max<int64_t>(s.begin + 1, 2 * steps / 3);
    if (open_interval) s.interval = method->trains ? 1 : std::clamp<int64_t>((s.end - s.begin) / 10, 1, s.interval);
    CHECK(s.interval <= s.end - s.begin, "--", prefix, "interval ", s.interval, ": the schedule goes from step ",
          s.begin, " to ", s.end, " and would prune only at its end; choose a shorter one, or --", prefix,
          "schedule once");
  }
  CHECK(s.last() < steps, "--", prefix, "schedule ", text_of(s.kind), ": the last pruning is at step ", s.last(),
        ", but the run has only ", steps, " steps; prune earlier");
  return prune;
}

}  // namespace espalier
