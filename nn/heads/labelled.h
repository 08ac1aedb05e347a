// SPDX-License-Identifier: Apache-2.0
// Of a batch, the sentences that have numbers as their label. Used by the heads that learn numbers.
#pragma once

#include "core/ops.h"
#include "nn/packed_batch.h"

namespace espalier {

struct Labelled {
  Var logits;      // [L, C]
  Tensor targets;  // [L, C] f32
};

// Of logits[B, C] and PackedBatch::values; the sentences with the label -1 are left out. Throws where the batch does
// not have C numbers for each sentence.
Labelled labelled(const Var& logits, const PackedBatch& batch);

}  // namespace espalier
