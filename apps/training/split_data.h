// SPDX-License-Identifier: Apache-2.0
// The text that a run trains on and the one that it is evaluated on.
#pragma once

#include "apps/training/datasets.h"
#include "apps/training/options.h"
#include "core/listener.h"
#include "data/models/model_source.h"
#include "data/text/read_text.h"

namespace espalier {

struct RunData {
  TokenizedDataset train, dev;
  std::string train_name, dev_name;  // for the run's inputs: "train.tsv"
  std::string note;                  // "data: FOLDER: 2000 training sentences …", for the log
};

// Reads the files of --data, with --dev-data, or splits off --validation-split. Throws Error where there is nothing to
// evaluate on, and where there are two things.
RunData read_run_data(DataFiles files, const TrainOptions& options, const Model& model, const Listener& listener);

}  // namespace espalier
