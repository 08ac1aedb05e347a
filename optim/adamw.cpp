// SPDX-License-Identifier: Apache-2.0
#include "optim/adamw.h"

#include <cmath>
#include <sstream>

#include "core/kernels/adamw.h"
#include "core/kernels/elementwise.h"
#include "core/parallel.h"
#include "core/profile.h"

namespace espalier {
namespace {

constexpr int64_t piece = 1 << 16;  // elements a task; fixed, because the order of the norm's sum depends on it

// Consecutive elements of one parameter that are updated as a whole: rows of it, and whole steps of its copy.
struct Run {
  Parameter* parameter;
  int64_t first, size;  // within the parameter
  bool has_gradient;    // else its gradient is zero
};

// All parameters with a gradient except those of `skip`.
std::vector<Run> runs_of(const ParameterStore& store,
                         const std::map<const Parameter*, std::unique_ptr<DeferredRows>>& skip) {
  std::vector<Run> runs;
  for (Parameter* p : store.all()) {
    if (!p->grad.written || (p->grad.by_rows && skip.contains(p))) continue;
    const int64_t rows = p->grad.by_rows ? p->shape[0] : 1, size = p->shape.size() / rows;
    const int64_t longest = std::max<int64_t>(1, piece / p->copy.step) * p->copy.step;
    for (int64_t r = 0; r < rows;) {
      const bool has = !p->grad.by_rows || p->grad.rows->contains(r);
      int64_t end = r + 1;
      while (end < rows && p->grad.rows->contains(end) == has) ++end;
      for (int64_t at = r * size; at < end * size; at += longest)
        runs.push_back({p, at, std::min(longest, end * size - at), has});
      r = end;
    }
  }
  return runs;
}

constexpr int64_t large_table = 2048;  // rows from which on untouched rows are deferred

}  // namespace

bool decays(Role role) { return role == Role::weight || role == Role::embedding; }

double gradient_norm(const ParameterStore& store) {
  const std::vector<Run> runs = runs_of(store, {});
  std::vector<double> sums(runs.size());
  parallel_for(static_cast<int64_t>(runs.size()), [&](int64_t i) {
    const Run& run = runs[static_cast<size_t>(i)];
    sums[static_cast<size_t>(i)] =
        run.has_gradient ? kernels::sum_of_squares(run.size, run.parameter->grad.grad.data<float>() + run.first) : 0;
  });
  double total = 0;
  for (const double s : sums) total += s;
  return std::sqrt(total);
}

double clip_factor(double norm, double max_norm) {
  if (max_norm <= 0) return 1;
  return std::min(1.0, max_norm / (norm + 1e-6));
}

AdamW::AdamW(ParameterStore& store, const AdamWOptions& options)
    : store_(store),
      options_(options),
      m_(Tensor::zeros(store.values().shape())),
      v_(Tensor::zeros(store.values().shape())) {
  store.make_gradients();
  for (Parameter* p : store.all())
    if (p->role == Role::embedding && !p->whole_gradient && p->shape[0] >= large_table)
      tables_[p] = std::make_unique<DeferredRows>(*p, m_.data<float>() + p->first, v_.data<float>() + p->first);
}

void AdamW::step(double learning_rate, double gradient_scale) {
  ++steps_;
  const auto t = static_cast<double>(steps_);
  kernels::AdamWStep s;
  s.beta2 = static_cast<float>(options_.beta2);
  s.rate1 = static_cast<float>(1 - options_.beta1);
  s.rate2 = static_cast<float>(1 - options_.beta2);
  s.eps = static_cast<float>(options_.eps);
  s.inverse_sqrt2 = static_cast<float>(1 / std::sqrt(1 - std::pow(options_.beta2, t)));
  s.gradient_scale = static_cast<float>(gradient_scale);
  const double correction1 = 1 - std::pow(options_.beta1, t);
  const auto step_of = [&](const Parameter& p) {
    const double rate = learning_rate * p.rate_share;
    kernels::AdamWStep own = s;
    own.step_size = static_cast<float>(rate / correction1);
    if (decays(p.role)) own.decay = static_cast<float>(1 - rate * options_.weight_decay);
    return own;
  };

  for (const auto& [table, deferred] : tables_) {
    if (table->grad.by_rows && table->grad.written)
      deferred->step(step_of(*table));
    else
      deferred->settle({});  // a whole gradient, or none: no row may lag behind
  }
  const std::vector<Run> runs = runs_of(store_, tables_);
  for (const Run& run : runs) work_count().bytes += (run.parameter->has_copy() ? 32 : 28) * run.size;
  parallel_for(static_cast<int64_t>(runs.size()), [&](int64_t i) {
    const Run& run = runs[static_cast<size_t>(i)];
    const Parameter& p = *run.parameter;
    const int64_t at = p.first + run.first;
    const float* const g = run.has_gradient ? p.grad.grad.data<float>() + run.first : nullptr;
    kernels::adamw(step_of(p), run.size, g, p.value.data<float>() + run.first, m_.data<float>() + at,
                   v_.data<float>() + at);
    p.updated(run.first, run.size);
  });
  store_.clear_gradients();
}

std::string AdamW::describe() const {
  enum Kind { decaying, plain, frozen };
  int64_t count[3] = {}, elements[3] = {};
  for (const Parameter* p : store_.all()) {
    const Kind kind = p->frozen ? frozen : decays(p->role) ? decaying : plain;
    count[kind] += 1;
    elements[kind] += p->shape.size();
  }
  std::ostringstream text;
  text << "AdamW: weight decay " << options_.weight_decay << " on " << count[decaying]
       << " weight and embedding tensors (" << elements[decaying] << " parameters), none on " << count[plain]
       << " bias and layer-norm tensors (" << elements[plain] << ")";
  if (count[frozen] > 0) text << "; " << count[frozen] << " tensors (" << elements[frozen] << ") are frozen";
  return text.str();
}

}  // namespace espalier
