// SPDX-License-Identifier: Apache-2.0
#include "apps/shared/quant_flags.h"

#include <algorithm>

#include "apps/shared/unread.h"

namespace espalier {

void QuantFlags::declare(CLI::App& app, const std::string& prefix, bool training) {
  prefix_ = prefix;
  training_ = training;
  if (training)
    app.add_flag("--" + prefix + "on", on, "quantization-aware training: fake-quant now, an int8 checkpoint in the end")
        ->group("Quantization");
  const auto add = [&](const char* name, auto& value, const std::string& text) {
    CLI::Option* const option = app.add_option("--" + prefix + name, value, text)->capture_default_str();
    if (training) option->group("Quantization");
    declared_.push_back(option);
  };
  add("mode", options.mode, "static: one range for each layer's input; dynamic: one for each token as it comes");
  add("observer", options.observer,
      "static: how the range is found: minmax, moving-average, percentile (without a ten-thousandth at either end) or "
      "histogram (least squared error)");
  add("symmetric", options.symmetric, "true: static ranges of inputs are symmetric about zero, with zero point 0");
  add("bits", options.bits, "of weights, 2 to 8, one scale for each output; inputs have 8");
  add("embedding-bits", options.embedding_bits, "of the word embeddings: 32, 8 or 4, one scale for each word");
  add("keep-f32", options.keep_f32, "names of weights that stay f32, with * for any text");
  if (!training) return;
  add("begin", begin_.text,
      "step from which numbers are rounded, or its share of the run such as 33%; observers watch from the first step");
  add("freeze", freeze_.text,
      "step, or share, from which ranges are fixed; negative: when two thirds of all steps are done");
  add("learned", options.learned, "true: scales are trained with the weights (LSQ)");
  add("scale-rate", options.scale_rate, "learning rate of these scales");
}

void QuantFlags::check() const {
  refuse_unread(declared_, on || !training_, "nothing is quantized without --" + prefix_ + "on");
  refuse_unread(declared_, "--" + prefix_ + "observer", options.observes(),
                "is for ranges that are observed, not for dynamic ones or learned scales");
  refuse_unread(declared_, "--" + prefix_ + "freeze", options.observes(),
                "is for ranges that are observed, not for dynamic ones or learned scales");
  refuse_unread(declared_, "--" + prefix_ + "scale-rate", options.learned, "is for learned scales");
  begin_.check("--" + prefix_ + "begin");
  freeze_.check("--" + prefix_ + "freeze");
  QuantizeOptions known = options;
  if (training_ && !begin_.share()) known.begin = begin_.of(0);
  if (training_ && !freeze_.share()) known.freeze = freeze_.of(0);
  known.check("--" + prefix_);
}

QuantizeOptions QuantFlags::for_run(int64_t steps) const {
  QuantizeOptions quantize = options;
  quantize.begin = begin_.of(steps);
  quantize.freeze = freeze_.of(steps);
  quantize.check("--" + prefix_);
  if (quantize.freeze < 0 && quantize.observes()) quantize.freeze = std::max(quantize.begin + 1, 2 * steps / 3);
  CHECK(quantize.begin < steps, "--", prefix_, "begin ", quantize.begin, ": the run has only ", steps,
        " steps; begin earlier");
  return quantize;
}

nlohmann::json QuantFlags::effective() const {
  return {{"mode", options.mode},
          {"observer", options.observer},
          {"symmetric", options.symmetric},
          {"bits", options.bits},
          {"embedding-bits", options.embedding_bits},
          {"keep-f32", options.keep_f32},
          {"begin", begin_.effective()},
          {"freeze", freeze_.effective()},
          {"learned", options.learned},
          {"scale-rate", options.scale_rate}};
}

}  // namespace espalier
