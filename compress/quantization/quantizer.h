// SPDX-License-Identifier: Apache-2.0
// Quantizer: the Compressor that puts fake-quant on the linear layers of encoder and head (and on the word
// embeddings) and makes real integers of them in the end. Forward passes compute with the integers already, so that
// nothing changes at the end; gradients pass straight through the rounding. In training it is quantization-aware
// training, over calibration batches it is post-training quantization. Used by train_sst2 (--qat.*) and quantize.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "compress/compressor.h"
#include "compress/learned.h"
#include "compress/quantization/fake_quant.h"
#include "compress/quantization/quantize_options.h"

namespace espalier {

class Quantizer : public Compressor {
 public:
  explicit Quantizer(const QuantizeOptions& options);

  // Throws for a model that is quantized already, a pattern that matches nothing and a weight that is not finite.
  void attach(Bert& model, ParameterStore& store) override;
  void before_forward(int64_t step) override;
  Observed take_observed() override;
  void absorb(std::span<const Observed> lanes) override;
  std::vector<ParameterStore*> learned() override;
  bool reads_gradients() const override { return false; }
  void after_step(int64_t step) override;
  bool complete(int64_t step) const override { return step > options_.begin; }
  void save(const Hdf5Group& group) const override;
  void load(const Hdf5Group& group) override;
  std::string describe() const override;

  // The integers are made once for all batches.
  void before_evaluation() override;
  void after_evaluation() override;

  // Integers instead of fake-quant, those that the forward pass stands for: the model computes in int8 from now on.
  // Throws if no input was observed.
  void convert();

  // For sensitivity tables: names of what is quantized together, and only number i of them quantized; -1: none, their
  // number: all.
  std::vector<std::string> sites() const;
  void enable(int64_t site);

 private:
  struct Site {               // linear layers that share their input; none: a table
    Linear* first = nullptr;  // of them, whose input it is
    std::shared_ptr<InputFakeQuant> input;
    std::vector<std::pair<Parameter*, std::shared_ptr<WeightFakeQuant>>> weights;
  };
  void add(const std::vector<Linear*>& linears);
  void set_on(bool on);  // whether numbers are rounded

  QuantizeOptions options_;
  std::vector<Site> sites_;
  std::vector<uint8_t> matched_;  // of keep_f32
  bool on_ = true;
  Learned scales_;  // one parameter for each weight and input, where they learn
};

}  // namespace espalier
