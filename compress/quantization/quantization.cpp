// SPDX-License-Identifier: Apache-2.0
#include "compress/quantization/quantization.h"

#include "compress/quantization/quantizer.h"
#include "core/check.h"

namespace espalier {
namespace {

struct Qat {
  bool on = false;
  QuantizeOptions options;
};

// Ranges that no longer move must be those of the weights that are left.
void check_order(const QuantizeOptions& options, const Setting& setting) {
  if (!options.observes()) return;
  int64_t done = options.freeze + 1;  // steps after which the model must be as small as it will be
  while (done < setting.steps && !setting.before.complete(done)) ++done;
  CHECK(setting.before.complete(options.freeze + 1), "--qat.freeze ", options.freeze,
        ": ranges would be fixed while weights are still pruned, up to step ", done - 1,
        ", and would be those of another model; freeze at step ", done - 1, " or later, or prune earlier");
}

}  // namespace

Algorithm quantization(const std::vector<ObserverRow>& more) {
  const auto q = std::make_shared<Qat>();
  std::vector<ObserverRow> observers = ObserverRow::table();
  observers.insert(observers.end(), more.begin(), more.end());
  return {.name = "qat",
          .heading = "Quantization",
          .options =
              [q, observers](Options& rows) {
                rows.flag("on", q->on, "quantization-aware training: fake-quant now, an int8 checkpoint in the end")
                    .is_switch()
                    .free();
                q->options.declare(rows, true, observers);
              },
          .on = [q] { return q->on; },
          .how = "nothing is quantized without --qat.on",
          .make = [q](const Setting& setting) -> std::unique_ptr<Compressor> {
            const QuantizeOptions options = q->options.for_run(setting.steps, "qat.");
            check_order(options, setting);  // behind the pruner: zero is a grid point, so what is pruned stays zero
            return std::make_unique<Quantizer>(options);
          }};
}

}  // namespace espalier
