// SPDX-License-Identifier: Apache-2.0
// score of w[o, i] = |w[o, i]| ||x[:, i]||  over all inputs x[T, in] of the linear layer so far
#include <cmath>
#include <map>

#include "compress/features.h"
#include "compress/pruning/criteria/criterion.h"
#include "core/check.h"
#include "core/ops.h"
#include "core/parallel.h"

namespace espalier {
namespace {

// Sums the squares of each input feature. Lets x through as it is.
class FeatureNorms : public WeightTransform {
 public:
  explicit FeatureNorms(int64_t in) : squares(in) {}

  Var apply(const Var& x, const Context& context) override {
    if (!on || context.tape == nullptr) return x;  // an evaluation in between is not looked at
    for_features("wanda", x.value, [to = squares.data()](int64_t i, double v) { to[i] += v * v; });
    return x;
  }

  bool on = true;
  LaneSums squares;  // [in]
};

class Wanda : public Criterion {
 public:
  std::string describe() const override { return "Wanda |w| times the norm of its input"; }
  bool learns() const override { return true; }

  void attach(Bert& model, std::span<Parameter* const> parameters) override {
    for (EncoderLayer& layer : model.layers())
      for (const auto& linears : layer.by_input()) watch(linears);
    for (const Parameter* p : parameters)
      CHECK(norms_.contains(p->name), "prune: wanda knows the inputs of the encoder's linear layers only, not of ",
            p->name, "; choose other layers or another method");
  }

  void finish() override {
    for (const auto& [name, norms] : norms_) norms->on = false;
  }

  Observed take_observed() override {
    std::vector<Observed> parts;
    for (const auto& norms : watched_) parts.push_back(norms->squares.take());
    return joined(parts);
  }
  void absorb(std::span<const Observed> lanes) override {
    for_parts(lanes, [&](size_t i, std::span<const Observed> part) { watched_[i]->squares.absorb(part); });
  }
  bool reads_gradients() const override { return false; }

  Tensor scores(const Parameter& p) const override {
    const double* const squares = norms_.at(p.name)->squares.values().data();
    const int64_t in = p.shape.cols();
    Tensor s(p.shape);
    parallel_rows(p.shape.rows(), row_grain(in), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin * in; i < end * in; ++i)
        s.data<float>()[i] =
            static_cast<float>(std::abs(static_cast<double>(p.value.data<float>()[i])) * std::sqrt(squares[i % in]));
    });
    return s;
  }

  void save(const Hdf5Group& group) const override {
    for (const auto& [name, norms] : norms_) {
      const std::span<const double> squares = norms->squares.values();
      group.write(name, Tensor::of<double>({std::ssize(squares)}, squares));
    }
  }
  void load(const Hdf5Group& group) override {
    for (const auto& [name, norms] : norms_) {
      const Tensor squares({std::ssize(norms->squares.values())}, DType::f64);
      group.read_into(name, squares);
      norms->squares.set(squares.span<double>());
    }
  }

 private:
  // Layers that share their input; the first one's chain sees it.
  void watch(const std::vector<Linear*>& layers) {
    const auto norms = std::make_shared<FeatureNorms>(layers.front()->weight.shape.cols());
    layers.front()->input_transforms.push_back(norms);
    watched_.push_back(norms);
    for (const Linear* linear : layers) norms_[linear->weight.name] = norms;
  }

  std::vector<std::shared_ptr<FeatureNorms>> watched_;
  std::map<std::string, std::shared_ptr<FeatureNorms>> norms_;  // of these, by the weight's name
};

}  // namespace

std::unique_ptr<Criterion> wanda_criterion() { return std::make_unique<Wanda>(); }

}  // namespace espalier
