// SPDX-License-Identifier: Apache-2.0
// Linear: a layer y = x w^T + b. It owns the form in which its products read w, and the transforms of its input. Its
// parameters are the store's.
#pragma once

#include "core/ops.h"
#include "nn/parameter.h"

namespace espalier {

// What a model is prepared for: weights that are updated, or weights that stay as they are and meet no gradient.
enum class Use { training, inference };

// y[T, out] = x[T, in] w^T + b with parameters weight[out, in] and bias[out].
class Linear {
 public:
  Linear(const Scope& scope, int64_t out, int64_t in);

  Var operator()(const Var& x, const Context& context, DType compute = DType::f32, DType result = DType::bf16) const;

  // x[T, in] as the product sees it, through the input's transforms.
  Var input(Var x, const Context& context) const;
  // What the product reads. To be called behind input(): integers of the weight go with those of the input.
  ops::Affine use(const Context& context) const;

  // Chooses the form of the weight as it is now, for products in `compute`, f32 or bf16. For training in bf16 it is a
  // packed copy that follows the parameter's updates; for inference another one, which leaves out zeros. An int8 weight
  // stays one. Called again after values were replaced other than by the optimizer.
  void prepare(DType compute, Use use);

  // The form that the next product reads: the integers of a transform; else what prepare() has chosen, if no transform
  // changes the value; else the transformed value itself.
  WeightForm form() const;

  Parameter& weight;
  Parameter& bias;
  std::vector<std::shared_ptr<WeightTransform>> input_transforms;

 private:
  WeightForm prepared_;  // of the stored value
};

}  // namespace espalier
