// SPDX-License-Identifier: Apache-2.0
#include "apps/shared/prune_flags.h"

#include <algorithm>

#include "apps/shared/unread.h"

namespace espalier {

void PruneFlags::declare(CLI::App& app, const std::string& prefix, bool with_schedule) {
  prefix_ = prefix;
  with_schedule_ = with_schedule;
  const auto add = [&](const char* name, auto& value, const std::string& text) {
    CLI::Option* const option = app.add_option("--" + prefix + name, value, text);
    if (!prefix.empty()) option->group("Pruning");
    declared_.push_back(option);
    return option;
  };
  add("amount", options.amount, "share of the units that goes, in [0, 1); N:M says it by itself");
  add("method", options.method,
      std::string(
          "what goes first: magnitude (the smallest |w|), random, taylor (the smallest |w gradient|, summed over "
          "the steps), wanda (the smallest |w| times the norm of its input)") +
          (with_schedule ? ", movement (scores learned with the weights) or soft-movement (the same with a threshold)"
                         : "; taylor and wanda look at training data"))
      ->capture_default_str();
  add("structure", options.structure,
      "units: weight; N:M such as 2:4 (N of M weights along the input stay); block:RxC such as block:32x32; head; "
      "neuron" +
          std::string(with_schedule ? "" : "; layer, ranked by the sum over its matrices and cut out"))
      ->capture_default_str();
  add("scope", options.scope, "ranking within each layer, over all of them (global) or within each row")
      ->capture_default_str();
  add("layer-limit", options.layer_limit, "global ranking takes at most this share of a layer's units")
      ->capture_default_str();
  add("layers", options.layers,
      "names of parameters, with * for any text, such as 'bert.encoder.layer.0.*.weight'; default: the encoder's "
      "linear layers");
  CLI::Option* const cut =
      app.add_flag("--" + prefix + "shrink", shrink,
                   std::string("cut heads and neurons that are all zero out of the tensors") +
                       (with_schedule ? " of the finished checkpoint"
                                      : ", also those pruned in training; without --amount, only that"));
  if (!with_schedule) return;
  cut->group("Pruning");
  add("schedule", options.schedule.kind,
      "once at step begin, or linear or cubic from the initial amount at begin to the full one at end")
      ->capture_default_str();
  add("begin", begin_.text,
      "step of the first pruning, or its share of the run such as 2%; training before it is dense")
      ->capture_default_str();
  add("end", end_.text,
      "step, or share, of the last pruning, after which the masks are fixed; 0: when two thirds of all steps are done")
      ->capture_default_str();
  interval_ = add("interval", options.schedule.interval,
                  "steps from one pruning to the next; default: 1 for movement and soft-movement, else 100, or a tenth "
                  "of the schedule where that is less");
  score_rate_ = add("score-rate", options.score_rate,
                    "learning rate of movement's scores, which start at the magnitudes, with a root mean square of 1; "
                    "default: 0.001, and 0.01 for soft-movement, whose scores start at 0");
  add("regularization", options.regularization,
      "soft-movement: weight of the mean sigmoid of all scores in the loss; --prune.amount is its threshold, such as "
      "0.1")
      ->capture_default_str();
  add("initial", options.schedule.initial, "amount at step begin, for linear and cubic")->capture_default_str();
}

double PruneFlags::score_rate() const {
  return score_rate_ != nullptr && score_rate_->count() == 0 && options.method == "soft-movement" ? 1e-2
                                                                                                  : options.score_rate;
}

bool PruneFlags::on() const { return options.amount >= 0 || Structure::parse(options.structure).fixed_amount(); }

void PruneFlags::check(bool layers_named) const {
  const bool layers = options.structure == "layer";
  CHECK(!with_schedule_ || !layers, "--", prefix_,
        "structure layer: layers are cut out, not masked, before training; use prune --structure layer");
  const bool amount_given = declared_.front()->count() > 0;
  if (!on() && !amount_given) {
    for (const CLI::Option* option : declared_)
      CHECK(option->count() == 0 || (layers && layers_named && option->check_name("--structure")), option->get_name(),
            ": nothing is pruned without --", prefix_, "amount");
    return;
  }
  CHECK(with_schedule_ || !movement(), "--", prefix_, "method ", options.method,
        ": learns in training, with train_sst2 --prune.method; choose magnitude, random, taylor or wanda");
  const bool gradual = options.schedule.kind != "once";
  for (const char* name : {"end", "interval"})
    refuse_unread(declared_, "--" + prefix_ + name, gradual, "is for linear and cubic schedules");
  refuse_unread(declared_, "--" + prefix_ + "score-rate", movement(), "is for movement and soft-movement");
  begin_.check("--" + prefix_ + "begin");
  end_.check("--" + prefix_ + "end");
  PruneOptions known = options;
  if (begin_.share() || end_.share()) {  // where they lie is seen when the run's length is known
    known.schedule.begin = 1;
  } else if (with_schedule_) {
    known.schedule.begin = begin_.of(0);
    known.schedule.end = end_.of(0);
  }
  known.check("--" + prefix_);
}

PruneOptions PruneFlags::for_run(int64_t steps) const {
  PruneOptions prune = options;
  prune.score_rate = score_rate();
  PruneSchedule& s = prune.schedule;
  s.begin = begin_.of(steps);
  s.end = end_.share() ? std::max<int64_t>(1, end_.of(steps)) : end_.of(steps);  // 0 stands for two thirds
  prune.check("--" + prefix_);
  if (s.kind != "once") {
    if (s.end == 0) s.end = std::max(s.begin + 1, 2 * steps / 3);
    if (interval_->count() == 0)
      s.interval = movement() ? 1 : std::clamp<int64_t>((s.end - s.begin) / 10, 1, s.interval);
    CHECK(s.interval <= s.end - s.begin, interval_->get_name(), " ", s.interval, ": the schedule goes from step ",
          s.begin, " to ", s.end, " and would prune only at its end; choose a shorter one, or --", prefix_,
          "schedule once");
  }
  CHECK(s.last() < steps, "--", prefix_, "schedule ", s.kind, ": the last pruning is at step ", s.last(),
        ", but the run has only ", steps, " steps; prune earlier");
  return prune;
}

nlohmann::json PruneFlags::effective() const {
  const PruneSchedule& s = options.schedule;
  return {{"amount", options.amount},
          {"method", options.method},
          {"structure", options.structure},
          {"scope", options.scope},
          {"layers", options.layers},
          {"layer-limit", options.layer_limit},
          {"schedule", s.kind},
          {"begin", begin_.effective()},
          {"end", end_.effective()},
          {"interval", s.interval},
          {"initial", s.initial},
          {"seed", options.seed},
          {"score-rate", score_rate()},
          {"regularization", options.regularization},
          {"shrink", shrink}};
}

}  // namespace espalier
