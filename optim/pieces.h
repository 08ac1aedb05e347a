// SPDX-License-Identifier: Apache-2.0
// Pieces: how the work on parameters is cut. A piece is one task of a pass over all gradients, and the order of the
// pieces is the order in which sums over all of them are taken. With several ranks, the pieces of a whole gradient are
// dealt out (ZeRO-1; Rajbhandari et al. 2020, arXiv:1910.02054): a piece's owner has its moments and updates it. Tables
// whose gradient comes by rows are every rank's own. Used by the optimizers and by GradientSum.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "nn/parameter.h"

namespace espalier {

// Consecutive elements of one parameter that are updated as a whole: rows of it, and whole steps of its copy.
struct Piece {
  Parameter* parameter;
  int64_t first, size;  // within the parameter
  bool has_gradient;    // else its gradient is zero
};

// Elements of a parameter's pieces, but for the last one.
int64_t piece_size(const Parameter& parameter);

// Of all parameters that have a gradient now, except those of `skip`.
std::vector<Piece> written_pieces(const ParameterStore& store, const std::set<const Parameter*>& skip = {});

// Whether the parameter's pieces are dealt out over the ranks.
bool dealt_out(const Parameter& parameter);
// Those, of all parameters that learn, whether or not they have a gradient now.
std::vector<Piece> dealt_pieces(const ParameterStore& store);
// The rank that has the piece that begins at element `first`.
int owner(const Parameter& parameter, int64_t first);
inline int owner(const Piece& piece) { return owner(*piece.parameter, piece.first); }

// Called by every rank: brings what the owners have in the values, or in the gradients, to all. The parameters hear of
// new values.
void gather_values(const ParameterStore& store);
void gather_gradients(const ParameterStore& store);

}  // namespace espalier
