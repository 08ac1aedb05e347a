// SPDX-License-Identifier: Apache-2.0
// Quantizer: the Compressor that puts fake-quant on the linear layers of encoder and pooler (and on the word
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
#include "data/models/quantized_weights.h"

namespace espalier {

struct QuantizeOptions {
  std::string mode = "static";              // or dynamic: a range for each row of activations when it comes
  std::string observer = "moving-average";  // static: see make_observer
  int bits = 8;                             // of weights, 2 to 8; activations have 8
  int embedding_bits = 32;                  // of the word embeddings: 32 (as they are), 8 or 4
  bool symmetric = false;                   // static ranges of inputs are symmetric about zero
  bool learned = false;                     // scales that learn (LSQ), for training only
  double scale_rate = 1e-4;                 // their learning rate
  std::vector<std::string> keep_f32 = {};   // patterns of weights that stay as they are
  int64_t begin = 0;                        // step at which fake-quant begins; observers watch from the start
  int64_t freeze = -1;                      // step from which ranges are fixed; negative: never

  bool observes() const { return mode == "static" && !learned; }  // ranges move until `freeze`

  // Throws for the first value that is unknown or out of range; options are named with `prefix`, such as "--qat.".
  void check(const std::string& prefix) const;
};

class Quantizer : public Compressor {
 public:
  explicit Quantizer(const QuantizeOptions& options);

  // Throws for a model that is quantized already, a pattern that matches nothing and a weight that is not finite.
  void attach(const Bert& model, ParameterStore& store) override;
  void before_forward(int64_t step) override;
  void after_step(int64_t step) override;
  bool complete(int64_t step) const override { return step > options_.begin; }
  void save(const Hdf5Group& group) const override;
  void load(const Hdf5Group& group) override;
  std::string describe() const override;

  // The integers are made once for all batches.
  void before_evaluation() override;
  void after_evaluation() override;

  // Those that the forward pass stands for now. Throws if no input was observed.
  QuantizedWeights integers() const override;
  // Puts them into the model instead of fake-quant: it computes in int8 from now on.
  void convert(ParameterStore& store);

  // For sensitivity tables: names of what is quantized together, and only number i of them quantized; -1: none, their
  // number: all.
  std::vector<std::string> sites() const;
  void enable(int64_t site);

 private:
  struct Site {  // linear layers that share their input; none: a table
    std::shared_ptr<InputFakeQuant> input;
    std::vector<std::pair<Parameter*, std::shared_ptr<WeightFakeQuant>>> weights;
  };
  void add(const std::vector<const Linear*>& linears);

  QuantizeOptions options_;
  std::vector<Site> sites_;
  std::vector<uint8_t> matched_;  // of keep_f32
  Learned scales_;                // one parameter for each weight and input, where they learn
};

}  // namespace espalier
