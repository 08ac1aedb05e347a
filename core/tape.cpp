// SPDX-License-Identifier: Apache-2.0
#include "core/tape.h"

#include <set>

namespace espalier {

Var Tape::leaf(const Tensor& value, LeafGrad& grad) {
  nodes_.push_back({"leaf", {}, value.shape(), value.dtype(), &grad, {}, false, nullptr});
  return {value, this, static_cast<int>(nodes_.size()) - 1};
}

Tape* Tape::common_tape(const char* name, std::span<const Var* const> inputs) {
  Tape* tape = nullptr;
  for (const Var* v : inputs) {
    if (v->tape == nullptr) continue;
    CHECK(tape == nullptr || tape == v->tape, name, ": inputs lie on different tapes");
    tape = v->tape;
  }
  return tape;
}

Var Tape::push(const char* name, Tensor y, std::span<const Var* const> inputs, std::unique_ptr<ClosureBase> closure) {
  std::vector<int> ids;
  ids.reserve(inputs.size());
  for (const Var* v : inputs) ids.push_back(v->id);
  nodes_.push_back({name, std::move(ids), y.shape(), y.dtype(), nullptr, {}, false, std::move(closure)});
  if (profile_ != nullptr) profile_->lap(name, Profile::forward);
  return {std::move(y), this, static_cast<int>(nodes_.size()) - 1};
}

void Tape::backward(const Var& out, const Tensor& seed, const LeafDone& done) {
  CHECK(out.tape == this, "backward: the output does not lie on this tape");
  Tensor start = seed;
  if (!start) {
    CHECK(out.value.size() == 1, "backward: an output of shape ", out.shape(), " needs a seed of the same shape");
    start = Tensor(out.shape(), out.dtype());
    dispatch_real("backward", out.dtype(), [&](auto one) { *start.data<decltype(one)>() = 1; });
  }
  CHECK(start.shape() == out.shape() && start.dtype() == out.dtype(), "backward: seed ", start.shape(),
        " for an output of shape ", out.shape());
  if (Node& last = nodes_[static_cast<size_t>(out.id)]; last.leaf == nullptr) {
    last.grad = start;
    last.written = true;
  } else {
    const GradSlot whole = slot(out.id);
    dispatch_real("backward", out.dtype(), [&](auto zero) {
      using T = decltype(zero);
      for (int64_t i = 0; i < start.size(); ++i)
        whole.to.data<T>()[i] = (whole.accumulate ? whole.to.data<T>()[i] : T{0}) + start.data<T>()[i];
    });
  }
  if (profile_ != nullptr) profile_->lap("between forward and backward", Profile::other);
  std::vector<uint8_t> first_use(done ? nodes_.size() : 0);  // of a leaf, which is the last one that is passed
  std::set<const LeafGrad*> seen;
  for (size_t i = 0; i < first_use.size(); ++i)
    first_use[i] = nodes_[i].leaf != nullptr && seen.insert(nodes_[i].leaf).second ? 1 : 0;
  for (int i = out.id; i >= 0; --i) {  // creation order is topological order
    Node& node = nodes_[static_cast<size_t>(i)];
    if (done && first_use[static_cast<size_t>(i)] != 0) done(*node.leaf);
    if (node.closure && node.written) {
      Slots slots(*this, node.inputs);
      node.closure->run(node.grad, slots);
      if (profile_ != nullptr) profile_->lap(node.name, Profile::backward);
    }
    node.closure.reset();
    node.grad = {};
  }
}

GradSlot Tape::slot(int id) {
  Node& node = nodes_[static_cast<size_t>(id)];
  if (node.leaf == nullptr) {
    if (!node.grad) node.grad = Tensor(node.shape, node.dtype);
    return {node.grad, std::exchange(node.written, true), true};
  }
  LeafGrad& leaf = *node.leaf;
  if (!leaf.grad) leaf.grad = Tensor(node.shape, node.dtype);
  if (leaf.written && leaf.by_rows) {  // from rows to a whole gradient
    const int64_t cols = leaf.grad.cols();
    for (int64_t r = 0; r < leaf.grad.rows(); ++r)
      if (!leaf.rows->contains(r)) leaf.grad.view(r * cols, {cols}).fill_zero();
  }
  leaf.by_rows = false;
  return {leaf.grad, std::exchange(leaf.written, true), true};
}

Tape::Slots::Scatter Tape::scatter(int id) {
  LeafGrad* leaf = nodes_[static_cast<size_t>(id)].leaf;
  if (leaf == nullptr || !leaf->rows || (leaf->written && !leaf->by_rows)) {
    const GradSlot whole = slot(id);
    if (!whole.accumulate) whole.to.fill_zero();
    return {whole.to, nullptr};
  }
  if (!leaf->grad) leaf->grad = Tensor(nodes_[static_cast<size_t>(id)].shape, nodes_[static_cast<size_t>(id)].dtype);
  if (!std::exchange(leaf->written, true)) leaf->rows->clear();
  leaf->by_rows = true;
  return {leaf->grad, &*leaf->rows};
}

bool TouchedRows::insert(int32_t row) {
  if (std::exchange(touched_[static_cast<size_t>(row)], uint8_t{1}) != 0) return false;
  list_.push_back(row);
  return true;
}

void TouchedRows::clear() {
  for (const int32_t row : list_) touched_[static_cast<size_t>(row)] = 0;
  list_.clear();
}

}  // namespace espalier
