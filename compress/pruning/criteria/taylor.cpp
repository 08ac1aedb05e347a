// SPDX-License-Identifier: Apache-2.0
// score = sum over steps of |w g|
#include <cmath>
#include <map>

#include "compress/pruning/criteria/criterion.h"
#include "core/check.h"
#include "core/parallel.h"

namespace espalier {
namespace {

class Taylor : public Criterion {
 public:
  std::string describe() const override { return "first-order Taylor importance |w g|"; }
  bool learns() const override { return true; }

  void attach(Bert& /*model*/, std::span<Parameter* const> parameters) override {
    for (Parameter* p : parameters) {
      CHECK(!p->frozen, "prune: taylor scores by gradients, and ", p->name,
            " is frozen and has none; prune other layers, or by another method");
      sums_[p] = Tensor::zeros(p->shape);
    }
  }

  void after_backward() override {
    for (const auto& [p, sum] : sums_) {
      if (!p->grad.written) continue;
      CHECK(!p->grad.by_rows, "prune: taylor does not know the tables of embeddings, such as ", p->name);
      const float *const w = p->value.data<float>(), *const g = p->grad.grad.data<float>();
      float* const to = sum.data<float>();
      parallel_rows(sum.size(), 16384, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) to[i] += std::abs(w[i] * g[i]);
      });
    }
  }

  Tensor scores(const Parameter& p) const override { return sums_.at(&p); }

  void save(const Hdf5Group& group) const override {
    for (const auto& [p, sum] : sums_) group.write(p->name, sum);
  }
  void load(const Hdf5Group& group) override {
    for (const auto& [p, sum] : sums_) group.read_into(p->name, sum);
  }

 private:
  struct ByName {
    bool operator()(const Parameter* a, const Parameter* b) const { return a->name < b->name; }
  };
  std::map<const Parameter*, Tensor, ByName> sums_;  // in an order that files can have
};

}  // namespace

std::unique_ptr<Criterion> taylor_criterion() { return std::make_unique<Taylor>(); }

}  // namespace espalier
