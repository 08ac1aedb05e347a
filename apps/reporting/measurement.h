// SPDX-License-Identifier: Apache-2.0
// The measurements behind `report`: models are open side by side and take turns, so that what else the machine does
// meets all of them.
#pragma once

#include <optional>
#include <string>

#include "apps/cli/program.h"
#include "apps/inference/classifier.h"
#include "apps/reporting/figures.h"
#include "apps/training/evaluate.h"
#include "data/text/table.h"

namespace espalier {

struct MeasureOptions {
  std::string data;  // file
  TableOptions table;
  Precision precision = Precision::f32;
  int64_t batch_size = 32;
  MaxLength max_length;
  int rounds = 3;
};

// Of one model. The options must outlive it.
class Measurement {
 public:
  // Opens the model and reads the sentences. Throws as open_model and read_text do.
  Measurement(const std::string& source, const std::string& name, const MeasureOptions& options,
              const CommonOptions& common);

  const std::string& metric() const { return figures_.metric; }
  // Answers all sentences, at the batch size and one by one.
  void round();
  // After all rounds, once: closes the model, starts `predict` as many times, and looks at the weights.
  ModelFigures finish();

 private:
  const MeasureOptions& options_;
  const CommonOptions& common_;
  std::optional<Classifier> classifier_;
  TokenizedDataset text_;
  Evaluation evaluation_;  // the last one
  ModelFigures figures_;
};

}  // namespace espalier
