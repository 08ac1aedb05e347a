// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/sensitivity.h"

#include <cstdio>

#include "apps/training/evaluate.h"
#include "data/text/read_text.h"

namespace espalier {

void print_sensitivity(const std::string& file, const CalibrationOptions& read_as, const Model& model,
                       Quantizer& quantizer, const CommonOptions& common) {
  const TokenizedDataset data = read_text(file, model.tokenizer, model.bert->head(),
                                          read_as.max_length.of(model.config.longest()), {.table = read_as.table});
  const int64_t sites = std::ssize(quantizer.sites());
  const Listener listener = common.listener();
  const auto with = [&](int64_t site) {
    quantizer.enable(site);
    quantizer.before_evaluation();
    Evaluation e = evaluate(*model.bert, data, 32);
    quantizer.after_evaluation();
    return e;
  };
  const Evaluation whole = with(-1);
  const std::string metric = model.bert->head().metric();
  const auto to_json = [&](const Record& layer, const Evaluation& e) {
    return Record{{"layer", layer},
                  {"eval_loss", e.metrics.loss},
                  {"eval_" + metric, e.metrics.best()},
                  {"loss_change", e.metrics.loss - whole.metrics.loss}};
  };
  if (common.json)
    print_json(to_json(nullptr, whole));
  else
    std::printf("%-58s %10s %10s\n%-58s %10.4f %10.4f\n", "quantized alone", "loss", metric.c_str(), "nothing",
                whole.metrics.loss, whole.metrics.best());
  for (int64_t i = 0; i < sites; ++i) {
    const Evaluation e = with(i);
    listener.progress(i + 2, sites + 1, "layers");
    const std::string name = quantizer.sites()[static_cast<size_t>(i)];
    if (common.json)
      print_json(to_json(name, e));
    else
      std::printf("%-58s %+10.4f %+10.4f\n", name.c_str(), e.metrics.loss - whole.metrics.loss,
                  e.metrics.best() - whole.metrics.best());
  }
  quantizer.enable(sites);
}

}  // namespace espalier
