// SPDX-License-Identifier: Apache-2.0
#include "optim/pieces.h"

#include <algorithm>

#include "core/parallel.h"
#include "core/ranks.h"

namespace espalier {
namespace {

constexpr int64_t task = 1 << 16;  // elements; fixed, because the order of the norm's sum depends on it

// The dealt pieces, with those that lie side by side and have one owner as one.
std::vector<Piece> dealt_runs(const ParameterStore& store) {
  std::vector<Piece> runs;
  for (const Piece& piece : dealt_pieces(store))
    if (!runs.empty() && runs.back().parameter == piece.parameter && owner(runs.back()) == owner(piece))
      runs.back().size += piece.size;
    else
      runs.push_back(piece);
  return runs;
}

// Each owner's runs of `flat`, which is laid out as the store's values, to all other ranks. Returns those that came.
std::vector<Piece> exchanged(const ParameterStore& store, const Tensor& flat, Channel channel) {
  std::vector<Transfer> transfers;
  std::vector<Piece> received;
  for (const Piece& run : dealt_runs(store)) {
    const std::span<std::byte> bytes(flat.raw() + sizeof(float) * (run.parameter->first + run.first),
                                     sizeof(float) * static_cast<size_t>(run.size));
    if (const int from = owner(run); from != rank()) {
      transfers.push_back(receive(from, channel, bytes));
      received.push_back(run);
    } else {
      for (int to = 0; to < ranks(); ++to)
        if (to != rank()) transfers.push_back(send(to, channel, bytes));
    }
  }
  for (Transfer& transfer : transfers) transfer.wait();
  return received;
}

}  // namespace

int64_t piece_size(const Parameter& parameter) {
  return std::max<int64_t>(1, task / parameter.copy.step) * parameter.copy.step;
}

std::vector<Piece> written_pieces(const ParameterStore& store, const std::set<const Parameter*>& skip) {
  std::vector<Piece> pieces;
  for (Parameter* p : store.all()) {
    if (!p->grad.written || skip.contains(p)) continue;
    const int64_t rows = p->grad.by_rows ? p->shape[0] : 1, size = p->shape.size() / rows, longest = piece_size(*p);
    for (int64_t r = 0; r < rows;) {
      const bool has = !p->grad.by_rows || p->grad.rows->contains(r);
      int64_t end = r + 1;
      while (end < rows && p->grad.rows->contains(end) == has) ++end;
      for (int64_t at = r * size; at < end * size; at += longest)
        pieces.push_back({p, at, std::min(longest, end * size - at), has});
      r = end;
    }
  }
  return pieces;
}

bool dealt_out(const Parameter& parameter) { return !parameter.frozen && !parameter.grad.rows; }

std::vector<Piece> dealt_pieces(const ParameterStore& store) {
  std::vector<Piece> pieces;
  for (Parameter* p : store.all()) {
    if (!dealt_out(*p)) continue;
    const int64_t longest = piece_size(*p), size = p->shape.size();
    for (int64_t at = 0; at < size; at += longest) pieces.push_back({p, at, std::min(longest, size - at), true});
  }
  return pieces;
}

// Neighbours have one owner, so that few messages carry many of them; which one is the first differs by parameter.
int owner(const Parameter& parameter, int64_t first) {
  const int64_t size = piece_size(parameter), pieces = (parameter.shape.size() + size - 1) / size;
  return static_cast<int>((parameter.first / task + first / size * ranks() / pieces) % ranks());
}

void gather_values(const ParameterStore& store) {
  if (ranks() == 1) return;
  const std::vector<Piece> received = exchanged(store, store.values(), Channel::values);
  parallel_for(std::ssize(received), [&](int64_t i) {
    const Piece& run = received[static_cast<size_t>(i)];
    run.parameter->updated(run.first, run.size);
  });
}

void gather_gradients(const ParameterStore& store) {
  if (ranks() > 1) exchanged(store, store.gradients(), Channel::gradients);
}

}  // namespace espalier
