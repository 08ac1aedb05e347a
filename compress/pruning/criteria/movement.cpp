// SPDX-License-Identifier: Apache-2.0
// score s with  ds = -rate AdamW(gs),  gs = gy w  through the mask;  hard: from s = |w| / rms(w);
// soft: from s = 0, gs += lambda / n sigmoid'(s)
#include <cmath>
#include <sstream>

#include "compress/learned.h"
#include "compress/pruning/criteria/criterion.h"
#include "core/parallel.h"
#include "nn/mask.h"

namespace espalier {
namespace {

void start_at_magnitudes(const Tensor& w, const Tensor& s) {
  double squares = 0;
  for (const float v : w.span<float>()) squares += static_cast<double>(v) * static_cast<double>(v);
  if (squares == 0) return;
  const double rms = std::sqrt(squares / static_cast<double>(w.size()));
  for (int64_t i = 0; i < w.size(); ++i)
    s.data<float>()[i] = static_cast<float>(std::abs(static_cast<double>(w.data<float>()[i])) / rms);
}

class Movement : public Criterion {
 public:
  explicit Movement(const MovementOptions& options) : options_(options) {}
  std::string describe() const override {
    std::ostringstream text;
    text << (options_.soft ? "soft " : "") << "movement (scores learned at rate " << options_.learning_rate;
    if (options_.soft) text << ", regularization " << options_.regularization;
    text << ")";
    return text.str();
  }
  bool learns() const override { return true; }
  bool thresholds() const override { return options_.soft; }

  void attach(Bert& /*model*/, std::span<Parameter* const> parameters) override {
    for (const Parameter* p : parameters) scores_.store.add(p->name, p->shape, Role::weight);
    scores_.start();
    weights_.assign(parameters.begin(), parameters.end());
    if (!options_.soft)
      for (const Parameter* p : parameters) start_at_magnitudes(p->value, scores_.store.at(p->name).value);
    for (Parameter* p : weights_) mask_of(*p).learn(&scores_.store.at(p->name));
  }

  void after_backward() override {
    if (options_.regularization == 0) return;
    const double pull = options_.regularization / static_cast<double>(scores_.store.count());
    for (const Parameter* p : scores_.store.all()) {
      if (!p->grad.written) continue;  // the masks are final
      float* const g = p->grad.grad.data<float>();
      const float* const s = p->value.data<float>();
      parallel_rows(p->shape.size(), 16384, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          const double sigmoid = 1 / (1 + std::exp(-static_cast<double>(s[i])));
          g[i] += static_cast<float>(pull * sigmoid * (1 - sigmoid));
        }
      });
    }
  }
  std::vector<ParameterStore*> learned() override { return {&scores_.store}; }
  bool reads_gradients() const override { return false; }  // but of its own scores
  void after_step() override { scores_.step(options_.learning_rate); }
  void finish() override {
    for (Parameter* p : weights_) mask_of(*p).learn(nullptr);
  }
  Tensor scores(const Parameter& p) const override { return scores_.store.at(p.name).value; }

  void save(const Hdf5Group& group) const override { scores_.save(group); }
  void load(const Hdf5Group& group) override { scores_.load(group); }

 private:
  MovementOptions options_;
  std::vector<Parameter*> weights_;
  Learned scores_;
};

}  // namespace

std::unique_ptr<Criterion> movement_criterion(const MovementOptions& options) {
  return std::make_unique<Movement>(options);
}

CriterionRow movement(const MovementOptions& options) {
  const auto o = std::make_shared<MovementOptions>(options);
  return {.name = o->soft ? "soft-movement" : "movement",
          .help = o->soft ? "scores and a threshold, in training only"
                          : "scores learned with the weights, in training only",
          .make = [o](uint64_t) { return movement_criterion(*o); },
          .options =
              [o](Options& rows) {
                rows.add("score-rate", o->learning_rate,
                         "learning rate of movement's scores, which start at the magnitudes, with a root mean square "
                         "of 1; default: 0.001, and 0.01 for soft-movement, whose scores start at 0")
                    .no_default()
                    .positive();
                if (!o->soft) return;
                rows.add("regularization", o->regularization,
                         "soft-movement: weight of the mean sigmoid of all scores in the loss; the amount is its "
                         "threshold, such as 0.1")
                    .not_negative();
              },
          .trains = true};
}

}  // namespace espalier
