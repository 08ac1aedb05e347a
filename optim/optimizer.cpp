// SPDX-License-Identifier: Apache-2.0
#include "optim/optimizer.h"

#include <array>
#include <cmath>
#include <set>
#include <sstream>

#include "core/dealt.h"
#include "core/kernels/adamw.h"
#include "core/kernels/elementwise.h"
#include "core/parallel.h"
#include "core/profile.h"

namespace espalier {
namespace {

constexpr int64_t large_table = 2048;  // rows from which on untouched rows are deferred

bool has(const Piece& piece, bool dealt) { return !dealt || !dealt_out(*piece.parameter) || owner(piece) == rank(); }

// `sums` has as many numbers for each piece as for every other. Every rank gets those of the pieces that others have.
void share_sums(const std::vector<Piece>& pieces, std::vector<double>& sums, bool dealt) {
  if (!dealt || ranks() == 1 || pieces.empty()) return;
  const size_t each = sums.size() / pieces.size();
  take_from_owners(sums, [&](size_t i) {
    const Piece& piece = pieces[i / each];
    return has(piece, dealt) ? rank() : owner(piece);
  });
}

}  // namespace

bool decays(Role role) { return role == Role::weight || role == Role::embedding; }

double gradient_norm(const ParameterStore& store, bool dealt) {
  const std::vector<Piece> pieces = written_pieces(store);
  std::vector<double> sums(pieces.size());
  parallel_for(static_cast<int64_t>(pieces.size()), [&](int64_t i) {
    const Piece& piece = pieces[static_cast<size_t>(i)];
    if (piece.has_gradient && has(piece, dealt))
      sums[static_cast<size_t>(i)] =
          kernels::sum_of_squares(piece.size, piece.parameter->grad.grad.data<float>() + piece.first);
  });
  share_sums(pieces, sums, dealt);
  double total = 0;
  for (const double s : sums) total += s;
  return std::sqrt(total);
}

double clip_factor(double norm, double max_norm) {
  if (max_norm <= 0) return 1;
  return std::min(1.0, max_norm / (norm + 1e-6));
}

Optimizer::Optimizer(ParameterStore& store, const OptimizerOptions& options)
    : store_(store), options_(options), moments_(store, options.dealt && ranks() > 1) {
  if (options.rule == Rule::lamb) return;  // each step needs the norm of the whole table
  for (Parameter* p : store.all())
    if (p->role == Role::embedding && p->grad.rows && p->shape[0] >= large_table && !p->frozen) {
      const Moments::At at = moments_.at(*p, 0);
      tables_[p] = std::make_unique<DeferredRows>(*p, at.m, at.v);
    }
}

void Optimizer::step(double learning_rate, double gradient_scale) {
  ++steps_;
  moments_.prepare();
  options_.rule == Rule::lamb ? lamb(learning_rate, gradient_scale) : adamw(learning_rate, gradient_scale);
  if (options_.dealt) gather_values(store_);
  store_.clear_gradients();
}

bool Optimizer::is_own(const Piece& piece) const { return has(piece, options_.dealt); }

kernels::AdamWStep Optimizer::step_of(double rate, double gradient_scale) const {
  const auto t = static_cast<double>(steps_);
  kernels::AdamWStep s;
  s.beta2 = static_cast<float>(options_.beta2);
  s.rate1 = static_cast<float>(1 - options_.beta1);
  s.rate2 = static_cast<float>(1 - options_.beta2);
  s.eps = static_cast<float>(options_.eps());
  s.inverse_sqrt2 = static_cast<float>(1 / std::sqrt(1 - std::pow(options_.beta2, t)));
  s.gradient_scale = static_cast<float>(gradient_scale);
  s.step_size = static_cast<float>(rate / (1 - std::pow(options_.beta1, t)));
  return s;
}

void Optimizer::adamw(double learning_rate, double gradient_scale) {
  const auto decaying_step = [&](const Parameter& p) {
    const double rate = learning_rate * p.rate_share;
    kernels::AdamWStep s = step_of(rate, gradient_scale);
    if (decays(p.role)) s.decay = static_cast<float>(1 - rate * options_.weight_decay);
    return s;
  };
  std::set<const Parameter*> later;
  for (const auto& [table, deferred] : tables_) {
    if (table->grad.by_rows && table->grad.written)
      deferred->step(decaying_step(*table));
    else
      deferred->settle({});  // a whole gradient, or none: no row may lag behind
    if (table->grad.by_rows) later.insert(table);
  }
  std::vector<Piece> pieces = written_pieces(store_, later);
  std::erase_if(pieces, [&](const Piece& piece) { return !is_own(piece); });
  for (const Piece& piece : pieces) work_count().bytes += (piece.parameter->has_copy() ? 32 : 28) * piece.size;
  parallel_for(static_cast<int64_t>(pieces.size()), [&](int64_t i) {
    const Piece& piece = pieces[static_cast<size_t>(i)];
    const Parameter& p = *piece.parameter;
    const float* const g = piece.has_gradient ? p.grad.grad.data<float>() + piece.first : nullptr;
    const Moments::At at = moments_.at(p, piece.first);
    kernels::adamw(decaying_step(p), piece.size, g, p.value.data<float>() + piece.first, at.m, at.v);
    p.updated(piece.first, piece.size);
  });
}

// Directions take the place of the gradients. The norms of a tensor are sums over its pieces, in their order.
void Optimizer::lamb(double learning_rate, double gradient_scale) {
  const std::vector<Piece> pieces = written_pieces(store_);
  std::vector<double> squares(2 * pieces.size());  // of each piece's weights and direction
  parallel_for(static_cast<int64_t>(pieces.size()), [&](int64_t i) {
    const Piece& piece = pieces[static_cast<size_t>(i)];
    if (!is_own(piece)) return;
    const Parameter& p = *piece.parameter;
    const float* const w = p.value.data<float>() + piece.first;
    float* const u = p.grad.grad.data<float>() + piece.first;
    const Moments::At at = moments_.at(p, piece.first);
    kernels::AdamWStep s = step_of(1, gradient_scale);
    s.decay = decays(p.role) ? static_cast<float>(options_.weight_decay) : 0;
    kernels::lamb_direction(s, piece.size, piece.has_gradient ? u : nullptr, w, at.m, at.v, u);
    squares[2 * static_cast<size_t>(i)] = kernels::sum_of_squares(piece.size, w);
    squares[2 * static_cast<size_t>(i) + 1] = kernels::sum_of_squares(piece.size, u);
  });
  share_sums(pieces, squares, options_.dealt);
  std::map<const Parameter*, std::array<double, 2>> sums;
  for (size_t i = 0; i < squares.size(); ++i) sums[pieces[i / 2].parameter][i % 2] += squares[i];
  parallel_for(static_cast<int64_t>(pieces.size()), [&](int64_t i) {
    const Piece& piece = pieces[static_cast<size_t>(i)];
    if (!is_own(piece)) return;
    const Parameter& p = *piece.parameter;
    const auto [weights, direction] = sums.at(&p);
    const bool trusts = decays(p.role) && weights > 0 && direction > 0;
    const double rate = learning_rate * p.rate_share * (trusts ? std::sqrt(weights / direction) : 1);
    kernels::step_along(static_cast<float>(rate), piece.size, p.grad.grad.data<float>() + piece.first,
                        p.value.data<float>() + piece.first);
    p.updated(piece.first, piece.size);
  });
}

std::string Optimizer::describe() const {
  enum Kind { decaying, plain, frozen };
  int64_t count[3] = {}, elements[3] = {};
  for (const Parameter* p : store_.all()) {
    const Kind kind = p->frozen ? frozen : decays(p->role) ? decaying : plain;
    count[kind] += 1;
    elements[kind] += p->shape.size();
  }
  std::ostringstream text;
  text << (options_.rule == Rule::lamb ? "LAMB: trust ratios, and weight decay " : "AdamW: weight decay ")
       << options_.weight_decay << " on " << count[decaying] << " weight and embedding tensors (" << elements[decaying]
       << " parameters), none on " << count[plain] << " bias and layer-norm tensors (" << elements[plain] << ")";
  if (count[frozen] > 0) text << "; " << count[frozen] << " tensors (" << elements[frozen] << ") are frozen";
  return text.str();
}

}  // namespace espalier
