// SPDX-License-Identifier: Apache-2.0
#include "optim/adamw.h"

#include <cmath>
#include <sstream>

#include "core/kernels/adamw.h"
#include "core/kernels/elementwise.h"
#include "core/parallel.h"
#include "core/profile.h"
#include "core/ranks.h"

namespace espalier {
namespace {

constexpr int64_t large_table = 2048;  // rows from which on untouched rows are deferred

}  // namespace

bool decays(Role role) { return role == Role::weight || role == Role::embedding; }

double gradient_norm(const ParameterStore& store, bool dealt) {
  const std::vector<Piece> pieces = written_pieces(store);
  std::vector<double> sums(pieces.size());
  const auto is_own = [&](const Piece& piece) {
    return !dealt || !dealt_out(*piece.parameter) || owner(piece) == rank();
  };
  parallel_for(static_cast<int64_t>(pieces.size()), [&](int64_t i) {
    const Piece& piece = pieces[static_cast<size_t>(i)];
    if (piece.has_gradient && is_own(piece))
      sums[static_cast<size_t>(i)] =
          kernels::sum_of_squares(piece.size, piece.parameter->grad.grad.data<float>() + piece.first);
  });
  if (dealt && ranks() > 1) {
    const std::vector<double> all = gather_all(sums);
    for (size_t i = 0; i < pieces.size(); ++i)
      if (!is_own(pieces[i])) sums[i] = all[static_cast<size_t>(owner(pieces[i])) * pieces.size() + i];
  }
  double total = 0;
  for (const double s : sums) total += s;
  return std::sqrt(total);
}

double clip_factor(double norm, double max_norm) {
  if (max_norm <= 0) return 1;
  return std::min(1.0, max_norm / (norm + 1e-6));
}

AdamW::AdamW(ParameterStore& store, const AdamWOptions& options)
    : store_(store), options_(options), moments_(store, options.dealt && ranks() > 1) {
  for (Parameter* p : store.all())
    if (p->role == Role::embedding && p->grad.rows && p->shape[0] >= large_table && !p->frozen) {
      const Moments::At at = moments_.at(*p, 0);
      tables_[p] = std::make_unique<DeferredRows>(*p, at.m, at.v);
    }
}

void AdamW::step(double learning_rate, double gradient_scale) {
  ++steps_;
  moments_.prepare();
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
  std::set<const Parameter*> deferred;
  for (const auto& [table, rows] : tables_)
    if (table->grad.by_rows) deferred.insert(table);
  std::vector<Piece> pieces = written_pieces(store_, deferred);
  if (options_.dealt)
    std::erase_if(pieces, [](const Piece& p) { return dealt_out(*p.parameter) && owner(p) != rank(); });
  for (const Piece& piece : pieces) work_count().bytes += (piece.parameter->has_copy() ? 32 : 28) * piece.size;
  parallel_for(static_cast<int64_t>(pieces.size()), [&](int64_t i) {
    const Piece& piece = pieces[static_cast<size_t>(i)];
    const Parameter& p = *piece.parameter;
    const float* const g = piece.has_gradient ? p.grad.grad.data<float>() + piece.first : nullptr;
    const Moments::At at = moments_.at(p, piece.first);
    kernels::adamw(step_of(p), piece.size, g, p.value.data<float>() + piece.first, at.m, at.v);
    p.updated(piece.first, piece.size);
  });
  if (options_.dealt) gather_values(store_);
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
