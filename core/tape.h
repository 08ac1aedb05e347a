// SPDX-License-Identifier: Apache-2.0
// Var and Tape: reverse-mode automatic differentiation. Ops record a named closure each; backward runs the list
// downwards and drops every closure and gradient as soon as it is used, so that what a closure captures is exactly what
// stays alive, and no longer than needed.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/profile.h"
#include "core/tensor.h"

namespace espalier {

class Tape;

// A tensor and its place on a tape. Without a tape it is a constant: ops whose inputs are all constants record nothing.
struct Var {
  Tensor value;
  Tape* tape = nullptr;
  int id = -1;

  const Shape& shape() const { return value.shape(); }
  DType dtype() const { return value.dtype(); }
};

// Where one input's gradient goes: overwrite `to`, or add to it when `accumulate`. False when nobody wants the
// gradient.
struct GradSlot {
  Tensor to;
  bool accumulate = false, wanted = false;
  explicit operator bool() const { return wanted; }
};

// Rows of a gradient that hold values; the others are zero without being stored.
class TouchedRows {
 public:
  explicit TouchedRows(int64_t rows) : touched_(static_cast<size_t>(rows)) {}
  bool insert(int32_t row);  // false if it was there
  bool contains(int64_t row) const { return touched_[static_cast<size_t>(row)] != 0; }
  void clear();
  const std::vector<int32_t>& list() const { return list_; }  // in order of insertion

 private:
  std::vector<uint8_t> touched_;
  std::vector<int32_t> list_;
};

// A leaf's gradient as its owner keeps it. `written` tells whether `grad` holds a gradient of this step; the owner
// clears it.
struct LeafGrad {
  Tensor grad;
  bool written = false;
  std::optional<TouchedRows> rows;  // set for tables: their gradient may come row by row
  bool by_rows = false;             // this step's gradient did: only rows->list() is stored
};

class Tape {
 public:
  // The inputs' gradient slots, by position. Asking for a slot promises to fill it.
  class Slots {
   public:
    Slots(Tape& tape, std::span<const int> inputs) : tape_(tape), inputs_(inputs) {}
    GradSlot operator[](size_t i) { return inputs_[i] < 0 ? GradSlot{} : tape_.slot(inputs_[i]); }
    // For an op that adds to few rows of `to`: with rows, a row must be cleared when it is inserted first; without,
    // `to` is ready to be added to.
    struct Scatter {
      Tensor to;
      TouchedRows* rows = nullptr;
      explicit operator bool() const { return static_cast<bool>(to); }
    };
    Scatter scatter(size_t i) { return inputs_[i] < 0 ? Scatter{} : tape_.scatter(inputs_[i]); }

   private:
    Tape& tape_;
    std::span<const int> inputs_;
  };

  explicit Tape(Profile* profile = nullptr) : profile_(profile) {}
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  // A differentiable leaf. `grad` must outlive backward().
  Var leaf(const Tensor& value, LeafGrad& grad);

  // Makes y the result of op `name` on `inputs`. `backward(const Tensor& gy, Slots& slots)` runs at most once, with the
  // gradient of y.
  template <class Backward>
  static Var record(const char* name, Tensor y, std::span<const Var* const> inputs, Backward backward) {
    Tape* tape = common_tape(name, inputs);
    if (tape == nullptr) return {std::move(y)};
    return tape->push(name, std::move(y), inputs, std::make_unique<Closure<Backward>>(std::move(backward)));
  }
  template <class Backward>
  static Var record(const char* name, Tensor y, std::initializer_list<const Var*> inputs, Backward backward) {
    return record(name, std::move(y), std::span<const Var* const>(inputs.begin(), inputs.size()), std::move(backward));
  }

  // Hears of each leaf whose gradient is complete: nothing that is left of the backward pass adds to it. Leaves of
  // tapes within this one (gradient checkpointing) are not told.
  using LeafDone = std::function<void(LeafGrad&)>;

  // Gradients of <out, seed> with respect to every leaf. Without a seed, out must have one element and the seed is 1.
  void backward(const Var& out, const Tensor& seed = {}, const LeafDone& done = {});

  size_t size() const { return nodes_.size(); }

 private:
  struct ClosureBase {
    virtual ~ClosureBase() = default;
    virtual void run(const Tensor& gy, Slots& slots) = 0;
  };
  template <class F>
  struct Closure final : ClosureBase {
    explicit Closure(F function) : f(std::move(function)) {}
    void run(const Tensor& gy, Slots& slots) override { f(gy, slots); }
    F f;
  };
  struct Node {
    const char* name;
    std::vector<int> inputs;
    Shape shape;
    DType dtype;
    LeafGrad* leaf;  // set for leaves only
    Tensor grad;     // of an inner node, while it is needed
    bool written;
    std::unique_ptr<ClosureBase> closure;
  };

  static Tape* common_tape(const char* name, std::span<const Var* const> inputs);
  Var push(const char* name, Tensor y, std::span<const Var* const> inputs, std::unique_ptr<ClosureBase> closure);
  GradSlot slot(int id);
  Slots::Scatter scatter(int id);

  std::vector<Node> nodes_;
  Profile* profile_;
};

}  // namespace espalier
