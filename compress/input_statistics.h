// SPDX-License-Identifier: Apache-2.0
// InputStatistics: a Compressor that changes nothing and watches what each linear layer of the encoder meets. Used
// before quantization after training: by equalize and correct_biases.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "compress/compressor.h"

namespace espalier {

class InputStatistics : public Compressor {
 public:
  ~InputStatistics() override;

  void attach(Bert& model, ParameterStore& store) override;
  Observed take_observed() override;
  void absorb(std::span<const Observed> lanes) override;
  bool reads_gradients() const override { return false; }
  std::string describe() const override { return "statistics of the inputs of the encoder's linear layers"; }
  void forget();  // what was seen so far
  void detach();  // the layers are as before; what was seen stays

  // Of the input of the layer with this weight, feature by feature, f64[in]; only real tokens. Throws if none was seen.
  Tensor mean(const Parameter& weight) const;
  Tensor largest(const Parameter& weight) const;  // |x|

 private:
  struct Watch;
  const Watch& seen(const Parameter& weight) const;

  std::map<std::string, std::shared_ptr<Watch>> watches_;            // by the weight's name
  std::vector<std::pair<Linear*, std::shared_ptr<Watch>>> watched_;  // whose inputs they are
};

}  // namespace espalier
