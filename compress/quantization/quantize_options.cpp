// SPDX-License-Identifier: Apache-2.0
#include "compress/quantization/quantize_options.h"

#include <algorithm>

#include "core/check.h"

namespace espalier {

void QuantizeOptions::declare(Options& rows, bool training, const std::vector<ObserverRow>& observers) {
  const auto observed = [this] { return observes(); };
  const std::string why = "is for ranges that are observed, not for dynamic ones or learned scales";
  rows.add("mode", mode, "static: one range for each layer's input; dynamic: one for each token as it comes");
  rows.choose("observer", observer, observers, "static: how the range is found").only_if(observed, why);
  rows.add("symmetric", symmetric, "true: static ranges of inputs are symmetric about zero, with zero point 0")
      .range([this] { return !symmetric || observes(); }, "is for static ranges; others are as they are");
  rows.add("bits", bits, "of weights, 2 to 8, one scale for each output; inputs have 8")
      .between(2, 8, "2 to 8 are expected");
  rows.add("embedding-bits", embedding_bits, "of the word embeddings: 32, 8 or 4, one scale for each word")
      .range([this] { return embedding_bits == 32 || embedding_bits == 8 || embedding_bits == 4; },
             "choose 32, 8 or 4");
  rows.add("keep-f32", keep_f32, "names of weights that stay f32, with * for any text");
  if (!training) return;
  rows.add("begin", begin,
           "step from which numbers are rounded, or its share of the run such as 33%; observers watch from the first "
           "step")
      .range([this] { return begin.is_share() || begin >= 0; }, "a step from 0 on is expected");
  rows.add("freeze", freeze,
           "step, or share, from which ranges are fixed; negative: when two thirds of all steps are done")
      .range([this] { return freeze.is_share() || freeze < 0 || freeze >= 1; },
             "a step from 1 on is expected, or a negative number")
      .only_if(observed, why);
  rows.add("learned", learned, "true: scales are trained with the weights (LSQ)")
      .range([this] { return !learned || mode == InputRanges::fixed; }, "learned scales have mode static");
  rows.add("scale-rate", scale_rate, "learning rate of these scales")
      .positive()
      .only_if([this] { return learned; }, "is for learned scales");
}

void QuantizeOptions::check(const std::string& prefix) const {
  QuantizeOptions copy;
  Options rows;
  rows.begin({.prefix = prefix});
  copy.declare(rows, true);
  copy = *this;
  rows.check_values();
}

QuantizeOptions QuantizeOptions::for_run(int64_t steps, const std::string& prefix) const {
  QuantizeOptions quantize = *this;
  quantize.begin = begin.resolved(steps);
  quantize.freeze = freeze.resolved(steps);
  if (quantize.freeze < 0 && quantize.observes())
    quantize.freeze = std::max<int64_t>(quantize.begin + 1, 2 * steps / 3);
  CHECK(quantize.begin < steps, "--", prefix, "begin ", quantize.begin, ": the run has only ", steps,
        " steps; begin earlier");
  return quantize;
}

}  // namespace espalier
