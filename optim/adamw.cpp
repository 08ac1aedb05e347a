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

// A run of elements of one parameter that is updated as a whole. g null: its gradient is zero.
struct Run {
  const Parameter* parameter;
  int64_t first, size;  // in the flat buffers
  bool has_gradient;
};

std::vector<Run> runs_of(const ParameterStore& store) {
  std::vector<Run> runs;
  for (const Parameter* p : store.all()) {
    if (!p->grad.written) continue;
    const int64_t rows = p->grad.by_rows ? p->shape[0] : 1, size = p->shape.size() / rows;
    for (int64_t r = 0; r < rows;) {
      const bool has = !p->grad.by_rows || p->grad.rows->contains(r);
      int64_t end = r + 1;
      while (end < rows && p->grad.rows->contains(end) == has) ++end;
      for (int64_t at = r * size; at < end * size; at += piece)
        runs.push_back({p, p->first + at, std::min(piece, end * size - at), has});
      r = end;
    }
  }
  return runs;
}

}  // namespace

bool decays(Role role) { return role == Role::weight || role == Role::embedding; }

double gradient_norm(const ParameterStore& store) {
  const std::vector<Run> runs = runs_of(store);
  std::vector<double> sums(runs.size());
  const float* const g = store.gradients().data<float>();
  parallel_for(static_cast<int64_t>(runs.size()), [&](int64_t i) {
    const Run& run = runs[static_cast<size_t>(i)];
    sums[static_cast<size_t>(i)] = run.has_gradient ? kernels::sum_of_squares(run.size, g + run.first) : 0;
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
}

void AdamW::step(double learning_rate, double gradient_scale) {
  ++steps_;
  const auto t = static_cast<double>(steps_);
  kernels::AdamWStep s;
  s.beta2 = static_cast<float>(options_.beta2);
  s.rate1 = static_cast<float>(1 - options_.beta1);
  s.rate2 = static_cast<float>(1 - options_.beta2);
  s.eps = static_cast<float>(options_.eps);
  s.step_size = static_cast<float>(learning_rate / (1 - std::pow(options_.beta1, t)));
  s.inverse_sqrt2 = static_cast<float>(1 / std::sqrt(1 - std::pow(options_.beta2, t)));
  s.gradient_scale = static_cast<float>(gradient_scale);
  const auto decay = static_cast<float>(1 - learning_rate * options_.weight_decay);

  const std::vector<Run> runs = runs_of(store_);
  float *const w = store_.values().data<float>(), *const m = m_.data<float>(), *const v = v_.data<float>();
  const float* const g = store_.gradients().data<float>();
  for (const Run& run : runs) work_count().bytes += 28 * run.size;
  parallel_for(static_cast<int64_t>(runs.size()), [&](int64_t i) {
    const Run& run = runs[static_cast<size_t>(i)];
    kernels::AdamWStep own = s;
    own.decay = decays(run.parameter->role) ? decay : 1.0F;
    kernels::adamw(own, run.size, run.has_gradient ? g + run.first : nullptr, w + run.first, m + run.first,
                   v + run.first);
  });
  store_.clear_gradients();
}

std::string AdamW::describe() const {
  int64_t count[2] = {}, elements[2] = {};
  for (const Parameter* p : store_.all()) {
    count[decays(p->role) ? 0 : 1] += 1;
    elements[decays(p->role) ? 0 : 1] += p->shape.size();
  }
  std::ostringstream text;
  text << "AdamW: weight decay " << options_.weight_decay << " on " << count[0] << " weight and embedding tensors ("
       << elements[0] << " parameters), none on " << count[1] << " bias and layer-norm tensors (" << elements[1] << ")";
  return text.str();
}

}  // namespace espalier
