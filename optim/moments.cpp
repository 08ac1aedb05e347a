// SPDX-License-Identifier: Apache-2.0
#include "optim/moments.h"

#include <algorithm>

#include "core/ranks.h"

namespace espalier {

Moments::Moments(ParameterStore& store, bool dealt) : store_(store), dealt_(dealt) {
  store.make_gradients();
  if (!dealt_) {
    m_ = Tensor::zeros(store.values().shape());
    v_ = Tensor::zeros(store.values().shape());
    return;
  }
  for (const Parameter* p : store.all())
    if (!p->frozen && !dealt_out(*p)) make_part(*p);
}

// Elements of the parameter's own pieces before the one that begins at `first`.
int64_t Moments::place(const Parameter& parameter, int64_t first) const {
  if (!dealt_out(parameter)) return first;
  const int64_t size = piece_size(parameter), piece = first / size;
  const auto all = static_cast<int64_t>(ranks());
  return (piece - parts_.at(&parameter).first_piece) / all * size + first % size;
}

Moments::At Moments::at(const Parameter& parameter, int64_t first) const {
  if (!dealt_) {
    const int64_t place = parameter.first + first;
    return {m_.data<float>() + place, v_.data<float>() + place};
  }
  const Part& part = parts_.at(&parameter);
  const int64_t at = place(parameter, first);
  return {part.m.data<float>() + at, part.v.data<float>() + at};
}

void Moments::make_part(const Parameter& parameter) {
  int64_t elements = 0, first_piece = -1;
  const int64_t size = dealt_out(parameter) ? piece_size(parameter) : parameter.shape.size();
  for (int64_t at = 0; at < parameter.shape.size(); at += size) {
    if (dealt_out(parameter) && owner(parameter, at) != rank()) continue;
    if (first_piece < 0) first_piece = at / size;
    elements += std::min(size, parameter.shape.size() - at);
  }
  if (elements > 0) parts_[&parameter] = {Tensor::zeros({elements}), Tensor::zeros({elements}), first_piece};
}

void Moments::prepare() {
  if (!dealt_ || prepared_) return;
  prepared_ = true;
  for (const Parameter* p : store_.all())
    if (dealt_out(*p)) make_part(*p);
  if (!loaded_.m) return;
  for (const Piece& piece : dealt_pieces(store_)) {
    if (owner(piece) != rank()) continue;
    const int64_t from = piece.parameter->first + piece.first;
    const At to = at(*piece.parameter, piece.first);
    std::copy_n(loaded_.m.data<float>() + from, piece.size, to.m);
    std::copy_n(loaded_.v.data<float>() + from, piece.size, to.v);
  }
  loaded_ = {};
  release_pool();
}

void Moments::load(const Tensor& m, const Tensor& v) {
  if (!dealt_) {
    m_.copy_from(m);
    v_.copy_from(v);
    return;
  }
  for (auto& [parameter, part] : parts_) {
    if (dealt_out(*parameter)) continue;
    part.m.copy_from(m.view(parameter->first, {parameter->shape.size()}));
    part.v.copy_from(v.view(parameter->first, {parameter->shape.size()}));
  }
  loaded_ = {m, v};
}

Tensor Moments::collected(Tensor Part::*which, const Tensor& loaded) const {
  if (!prepared_) return loaded ? loaded : is_first_rank() ? Tensor::zeros(store_.values().shape()) : Tensor();
  Tensor whole = is_first_rank() ? Tensor::zeros(store_.values().shape()) : Tensor();
  if (is_first_rank())
    for (const auto& [parameter, part] : parts_)
      if (!dealt_out(*parameter)) whole.view(parameter->first, {parameter->shape.size()}).copy_from(part.*which);
  std::vector<Transfer> transfers;
  for (const Piece& piece : dealt_pieces(store_)) {
    const int from = owner(piece);
    const Parameter& p = *piece.parameter;
    float* const own = from == rank() ? (parts_.at(&p).*which).data<float>() + place(p, piece.first) : nullptr;
    float* const to = whole ? whole.data<float>() + p.first + piece.first : nullptr;
    const size_t bytes = sizeof(float) * static_cast<size_t>(piece.size);
    if (own != nullptr && to != nullptr)
      std::copy_n(own, piece.size, to);
    else if (own != nullptr)
      transfers.push_back(send(0, Channel::values, {reinterpret_cast<const std::byte*>(own), bytes}));
    else if (to != nullptr)
      transfers.push_back(receive(from, Channel::values, {reinterpret_cast<std::byte*>(to), bytes}));
  }
  for (Transfer& transfer : transfers) transfer.wait();
  return whole;
}

}  // namespace espalier
