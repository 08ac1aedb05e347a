// SPDX-License-Identifier: Apache-2.0
// The small model of tests/golden/encoder.py: its configuration, its parameters' values, the check of its gradients.
#pragma once

#include "nn/config.h"
#include "nn/parameter.h"
#include "tests/golden/golden.h"

namespace espalier {

inline BertConfig golden_config() {
  BertConfig config;
  config.vocab_size = 40;
  config.hidden_size = 32;
  config.num_hidden_layers = 2;
  config.num_attention_heads = 4;
  config.intermediate_size = 64;
  config.max_position_embeddings = 16;
  config.labels = {"a", "b", "c"};
  config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0;
  return config;
}

// Values in (-0.3, 0.3) by the parameter's name; one more for the weights of layer norms. With f64, the parameters
// leave the store's f32 buffers, so that a whole model runs in double precision.
inline void fill(ParameterStore& store, DType type) {
  store.allocate(1);
  for (Parameter* p : store.all()) {
    const Tensor value = golden::uniform(p->name, 0, p->shape, 0.3);
    if (p->role == Role::norm_weight)
      for (double& v : value.span<double>()) v += 1;
    if (type == DType::f64)
      p->value = value;
    else
      p->value.copy_from(value.to(type));
  }
}

inline void expect_gradients(const golden::File& file, const std::string& prefix, const ParameterStore& store,
                             double tolerance) {
  for (const Parameter* p : store.all()) {
    ASSERT_TRUE(p->grad.written) << p->name;
    // The softmax does not see the keys' bias: its gradient is zero, up to the rounding of a sum like that of the keys'
    // weight.
    const bool zero = p->name.ends_with("key.bias");
    const Parameter& scale = zero ? store.at(p->name.substr(0, p->name.size() - 4) + "weight") : *p;
    file.expect(prefix + p->name, p->grad.grad, tolerance, golden::norm_of(scale.grad.grad));
  }
}

}  // namespace espalier
