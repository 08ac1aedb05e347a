// SPDX-License-Identifier: Apache-2.0
// score s with  ds = -rate AdamW(gs),  gs = gy w  through the mask, from s = 0
#include "compress/criterion.h"
#include "compress/mask.h"
#include "core/check.h"
#include "optim/adamw.h"

namespace espalier {
namespace {

class Movement : public Criterion {
 public:
  explicit Movement(double rate) : rate_(rate) {}
  std::string describe() const override { return "movement (scores learned at rate " + number(rate_) + ")"; }
  bool learns() const override { return true; }

  void attach(std::span<Parameter* const> parameters) override {
    for (const Parameter* p : parameters) scores_.add(p->name, p->shape, Role::weight);
    scores_.lay_out();
    optimizer_ = std::make_unique<AdamW>(scores_, AdamWOptions{.weight_decay = 0});
    weights_.assign(parameters.begin(), parameters.end());
    for (Parameter* p : weights_) mask_of(*p).learn(&scores_.at(p->name));
  }

  void after_step() override { optimizer_->step(rate_); }
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
  static std::string number(double value) { return (std::ostringstream() << value).str(); }

  double rate_;
  std::vector<Parameter*> weights_;
  ParameterStore scores_;
  std::unique_ptr<AdamW> optimizer_;
};

}  // namespace

std::unique_ptr<Criterion> movement_criterion(double learning_rate) {
  return std::make_unique<Movement>(learning_rate);
}

}  // namespace espalier
