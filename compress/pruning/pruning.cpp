// SPDX-License-Identifier: Apache-2.0
#include "compress/pruning/pruning.h"

#include "compress/cutting/shrink.h"
#include "compress/pruning/pruner.h"
#include "core/check.h"

namespace espalier {
namespace {

struct Pruning {
  PruneOptions options;
  bool shrink = false;
};

}  // namespace

Algorithm pruning(const std::vector<CriterionRow>& more) {
  const auto p = std::make_shared<Pruning>();
  std::vector<CriterionRow> methods = CriterionRow::table();
  methods.insert(methods.end(), more.begin(), more.end());
  return {.name = "prune",
          .heading = "Pruning",
          .options =
              [p, methods](Options& rows) {
                p->options.declare(rows, true, methods);
                rows.flag("shrink", p->shrink,
                          "cut heads and neurons that are all zero out of the tensors of the finished checkpoint")
                    .is_switch();
                rows.rule([p] {
                  CHECK(p->options.structure.kind != Structure::Kind::layer,
                        "--prune.structure layer: layers are cut out, not masked, before training; use prune "
                        "--structure layer");
                });
              },
          .on = [p] { return p->options.on(); },
          .how = "nothing is pruned without --prune.amount",
          .make = [p](const Setting& setting) -> std::unique_ptr<Compressor> {
            PruneOptions options = p->options.for_run(setting.steps, "prune.");
            options.seed = setting.seed;
            return std::make_unique<Pruner>(options);
          },
          .finish =
              [p](const std::filesystem::path& checkpoint) {
                return p->shrink ? shrink(*open_model(checkpoint.string())) : nullptr;
              }};
}

}  // namespace espalier
