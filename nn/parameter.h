// SPDX-License-Identifier: Apache-2.0
// Parameters: named leaves whose values and gradients lie in two flat buffers, so that clipping and AdamW are one pass
// each. A Scope carries the path of names while a model is built; names are Hugging Face's.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/products/quantized_weight.h"
#include "core/rng.h"
#include "core/tape.h"

namespace espalier {

// What a parameter is for; decides initial values and whether weight decay applies (to weights and embeddings only).
enum class Role { weight, embedding, bias, norm_weight, norm_bias };
const char* name_of(Role role);

// What a forward pass needs to know. The tape is null for evaluation; dropout streams differ for every place and step.
struct Context {
  Tape* tape = nullptr;
  bool training = false;
  uint64_t seed = 0;
  uint64_t step = 0;    // counts micro-batches, so that no dropout mask repeats
  uint32_t places = 0;  // dropout places passed so far
  bool again = false;   // a layer is run once more for its gradients, with gradient checkpointing

  // Whether what watches activations looks at this pass: training and calibration, each batch once; no evaluation.
  bool watched() const { return (training || tape != nullptr) && !again; }
  Dropout dropout(float probability) {
    const uint64_t stream = (step << 12) | places++;
    return training ? Dropout{probability, seed, stream} : Dropout{};
  }
};

// A step between the stored value and the value that the forward pass sees: a mask, a fake-quantizer. The optimizer
// owns the stored value. Or one between a linear layer and its input: an observer, a fake-quantizer.
class WeightTransform {
 public:
  virtual ~WeightTransform() = default;
  virtual Var apply(const Var& w, const Context& context) = 0;
  // The integers that stand for the weight that apply() has just returned: products read them, and files hold them.
  virtual std::shared_ptr<const QuantizedWeight> integers() const { return nullptr; }
  // Whether apply() returns the stored value as it is, and only the gradient passes through it: a mask that is final.
  virtual bool keeps_value() const { return false; }
  // What is done to stored elements first … that have just been updated.
  virtual void after_update(int64_t /*first*/, std::span<float> /*values*/) const {}
};

// A copy of a parameter's value in another form, such as a Linear's for its products. Its owner hears of each update.
struct ValueCopy {
  int64_t step = 1;  // elements that are copied together: updates come in multiples of it, but for the value's end
  std::function<void(int64_t first, int64_t count)> refresh;  // disjoint updates may come at once; null: no copy
};

struct Parameter {
  std::string name;
  Shape shape;
  Role role;
  Tensor value = {};   // view into the store's values
  LeafGrad grad = {};  // view into the store's gradients
  int64_t first = 0;   // index of the first element in the flat buffers
  std::vector<std::shared_ptr<WeightTransform>> transforms = {};
  ValueCopy copy = {};
  bool whole_gradient = false;  // of a table: it never comes by rows, because a decoder reads all of them
  double rate_share = 1;        // of the learning rate, see optim/parameter_groups
  bool frozen = false;          // keeps its value: a constant to a tape, nothing to the optimizer

  // Set by an optimizer that defers the updates of rows without gradient: brings these rows, or all if none are named,
  // up to date. Whoever reads the value calls it first, as use() and use_rows() do.
  std::function<void(std::span<const int32_t>)> settle = {};

  Var use(const Context& context);  // the leaf (or constant, without a tape), through the transforms in order
  Var use_rows(const Context& context, std::span<const int32_t> rows);  // as use(), when only these rows will be read
  bool keeps_value() const;                                             // use() returns the value as it is stored
  std::shared_ptr<const QuantizedWeight> integers() const;  // of what use() has just returned; null: real numbers
  bool has_copy() const { return copy.refresh && keeps_value(); }  // one that is read

  // Whoever has changed elements first … first + count of the value says so, as ValueCopy wants it: masks set them to
  // zero again, the copy follows.
  void updated(int64_t first_element, int64_t count) const;
  void updated() const;  // all of it
};

class ParameterStore {
 public:
  // A parameter of a model that is being built. Throws if the name exists or the layout is made already.
  Parameter& add(const std::string& name, const Shape& shape, Role role);

  void lay_out();        // by name, each at a multiple of 64 bytes; the values are zero
  void lay_out_unset();  // as lay_out, but the values are undefined: for who fills all of them
  // As lay_out_unset, but the named parameters have no place, no gradient, and no value until settle() makes one: their
  // integers are all that inference reads.
  void lay_out_without(const std::set<std::string>& names);

  // Lays out and initialises: weights and embeddings from a normal distribution with standard deviation `range`, norm
  // weights with one, the rest with zero. A parameter's values depend on seed and name only.
  void allocate(uint64_t seed, float range = 0.02F);
  void initialise(Parameter& parameter, uint64_t seed, float range) const;

  const std::vector<Parameter*>& all() const { return sorted_; }  // by name; also before the layout is made
  Parameter* find(std::string_view name) const;                   // null if there is none
  Parameter& at(std::string_view name) const;                     // throws, naming it
  int64_t count() const;                                          // elements of all parameters

  const Tensor& values() const { return values_; }        // [n] f32
  const Tensor& gradients() const { return gradients_; }  // [n] f32; made when first used, see Parameter::grad
  void make_gradients();                                  // idempotent; training calls it, inference saves the memory
  struct Gradients {                                      // beside the store's
    Tensor values;
    std::vector<LeafGrad> leaves;  // by position in all()
  };
  Gradients new_gradients() const;                     // nothing is written
  void swap_gradients(Gradients& others);              // no tape may know them
  void check_finite(const std::string& source) const;  // throws, naming the parameter, for a NaN or an infinity
  void settle() const;                                 // see Parameter::settle; before values are saved or looked at
  void clear_gradients();                              // forgets them without touching memory

 private:
  std::map<std::string, std::unique_ptr<Parameter>, std::less<>> by_name_;
  std::vector<Parameter*> sorted_;
  Tensor values_, gradients_;
};

// A path of names: Scope(store) / "bert" / "encoder" hands out bert.encoder.… parameters.
class Scope {
 public:
  explicit Scope(ParameterStore& store, std::string path = "") : store_(&store), path_(std::move(path)) {}
  Scope operator/(std::string_view name) const { return Scope(*store_, join(name)); }
  Scope operator/(int64_t index) const { return *this / std::to_string(index); }
  Parameter& parameter(std::string_view name, const Shape& shape, Role role) const {
    return store_->add(join(name), shape, role);
  }

 private:
  std::string join(std::string_view name) const {
    return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
  }
  ParameterStore* store_;
  std::string path_;
};

}  // namespace espalier
