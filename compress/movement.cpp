// SPDX-License-Identifier: Apache-2.0
// score s with  ds = -rate AdamW(gs),  gs = gy w  through the mask, from s = 0;  soft: gs += lambda / n sigmoid'(s)
#include <cmath>
#include <sstream>

#include "compress/criterion.h"
#include "compress/mask.h"
#include "core/check.h"
#include "core/parallel.h"
#include "optim/adamw.h"

namespace espalier {
namespace {

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

  void attach(const Bert& /*model*/, std::span<Parameter* const> parameters) override {
    for (const Parameter* p : parameters) scores_.add(p->name, p->shape, Role::weight);
    scores_.lay_out();
    optimizer_ = std::make_unique<AdamW>(scores_, AdamWOptions{.weight_decay = 0});
    weights_.assign(parameters.begin(), parameters.end());
    for (Parameter* p : weights_) mask_of(*p).learn(&scores_.at(p->name));
  }

  void after_backward() override {
    if (options_.regularization == 0) return;
    const double pull = options_.regularization / static_cast<double>(scores_.count());
    for (const Parameter* p : scores_.all()) {
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
  void after_step() override { optimizer_->step(options_.learning_rate); }
  void finish() override {
    for (Parameter* p : weights_) mask_of(*p).learn(nullptr);
  }
  Tensor scores(const Parameter& p) const override { return scores_.at(p.name).value; }

  void save(const Hdf5Group& group) const override {
    group.write("scores", scores_.values());
    group.write("first_moments", optimizer_->first_moments());
    group.write("second_moments", optimizer_->second_moments());
    group.write_text("steps", std::to_string(optimizer_->steps()));
  }
  void load(const Hdf5Group& group) override {
    group.read_into("scores", scores_.values());
    group.read_into("first_moments", optimizer_->first_moments());
    group.read_into("second_moments", optimizer_->second_moments());
    const std::string steps = group.read_text("steps");
    CHECK(!steps.empty() && steps.size() < 19 && steps.find_first_not_of("0123456789") == std::string::npos,
          group.where("steps"), " is '", steps.substr(0, 20), "'; expected a number");
    optimizer_->set_steps(std::stoll(steps));
  }

 private:
  MovementOptions options_;
  std::vector<Parameter*> weights_;
  ParameterStore scores_;
  std::unique_ptr<AdamW> optimizer_;
};

}  // namespace

std::unique_ptr<Criterion> movement_criterion(const MovementOptions& options) {
  return std::make_unique<Movement>(options);
}

}  // namespace espalier
