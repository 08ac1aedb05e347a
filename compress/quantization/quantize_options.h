// SPDX-License-Identifier: Apache-2.0
// The options of quantization: how many bits, which ranges, and when. Used by the Quantizer, by quantize and, as
// --qat.*, by training.
#pragma once

#include <string>
#include <vector>

#include "compress/quantization/observers/observer.h"
#include "core/options.h"
#include "optim/run_step.h"

namespace espalier {

enum class InputRanges { fixed, dynamic };  // one range for each layer's input, or one for each row when it comes
template <>
struct Names<InputRanges> {
  static constexpr const char* list[] = {"static", "dynamic"};
};

struct QuantizeOptions {
  InputRanges mode = InputRanges::fixed;
  Choice<ObserverRow> observer = "moving-average";  // of fixed ranges
  int bits = 8;                                     // of weights, 2 to 8; activations have 8
  int embedding_bits = 32;                          // of the word embeddings: 32 (as they are), 8 or 4
  bool symmetric = false;                           // fixed ranges of inputs are symmetric about zero
  bool learned = false;                             // scales that learn (LSQ), for training only
  double scale_rate = 1e-4;                         // their learning rate
  std::vector<std::string> keep_f32 = {};           // patterns of weights that stay as they are
  RunStep begin = 0;                                // step at which fake-quant begins; observers watch from the start
  RunStep freeze = -1;                              // step from which ranges are fixed; negative: never

  bool observes() const { return mode == InputRanges::fixed && !learned; }  // ranges move until `freeze`

  // Adds the rows; in training there are a schedule and learned scales.
  void declare(Options& rows, bool training, const std::vector<ObserverRow>& observers = ObserverRow::table());
  // Throws for the first value out of range or of no use, named with `prefix`, such as "qat.".
  void check(const std::string& prefix = "") const;
  // For a run of so many steps: shares are steps now, and ranges whose step was left open are fixed when two thirds are
  // done. Throws if nothing would be quantized.
  QuantizeOptions for_run(int64_t steps, const std::string& prefix) const;
};

}  // namespace espalier
