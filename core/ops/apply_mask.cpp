// SPDX-License-Identifier: Apache-2.0
// y = w where the mask keeps it, else 0;  gw = gy where it is kept, else 0;  for scores s with the straight-through
// estimator  gs = gy w, everywhere.
#include "core/kernels/mask.h"
#include "core/ops.h"
#include "core/parallel.h"

namespace espalier::ops {
namespace {

constexpr int64_t piece = 16384;  // elements a task: whole bytes of the mask

template <class T>
void masked(const Tensor& mask, const Tensor& x, bool accumulate, const Tensor& y) {
  parallel_rows(x.size(), piece, [&](int64_t begin, int64_t end) {
    kernels::mask(end - begin, mask.data<uint8_t>() + begin / 8, x.data<T>() + begin, accumulate, y.data<T>() + begin);
  });
}

template <class T>
void score_gradient(const Tensor& gy, const Tensor& w, const GradSlot& gs) {
  parallel_rows(w.size(), piece, [&](int64_t begin, int64_t end) {
    const T *const g = gy.data<T>(), *const v = w.data<T>();
    T* const to = gs.to.data<T>();
    for (int64_t i = begin; i < end; ++i) to[i] = (gs.accumulate ? to[i] : T{0}) + g[i] * v[i];
  });
}

void check_mask(const Tensor& mask, const Shape& w) {
  CHECK(mask.dtype() == DType::u8 && mask.shape() == Shape{(w.size() + 7) / 8}, "apply_mask: w", w,
        " needs a mask of one bit an element, u8", Shape{(w.size() + 7) / 8}, ", not ", name_of(mask.dtype()),
        mask.shape());
}

}  // namespace

Var apply_mask(const Var& w, const Tensor& mask, bool baked) {
  check_mask(mask, w.shape());
  return dispatch_real("apply_mask", w.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const Tensor y = baked ? w.value : Tensor(w.shape(), w.dtype());
    if (!baked) masked<T>(mask, w.value, false, y);
    return Tape::record("apply_mask", y, {&w}, [mask](const Tensor& gy, Tape::Slots& slots) {
      if (auto gw = slots[0]) masked<T>(mask, gy, gw.accumulate, gw.to);
    });
  });
}

Var apply_mask(const Var& w, const Tensor& mask, const Var& scores) {
  check_mask(mask, w.shape());
  CHECK(scores.shape() == w.shape() && scores.dtype() == w.dtype(), "apply_mask: w", w.shape(), " and scores",
        scores.shape(), " differ");
  return dispatch_real("apply_mask", w.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const Tensor y(w.shape(), w.dtype());
    masked<T>(mask, w.value, false, y);
    return Tape::record("apply_mask", y, {&w, &scores}, [mask, w = w.value](const Tensor& gy, Tape::Slots& slots) {
      if (auto gw = slots[0]) masked<T>(mask, gy, gw.accumulate, gw.to);
      if (auto gs = slots[1]) score_gradient<T>(gy, w, gs);
    });
  });
}

}  // namespace espalier::ops
