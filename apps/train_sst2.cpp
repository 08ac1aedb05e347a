// SPDX-License-Identifier: Apache-2.0
// Fine-tunes a BERT classifier on SST-2, or on any TSV of sentences or pairs with labels.
#include "apps/shared/training.h"

int main(int argc, char** argv) {
  espalier::TrainOptions options;
  return espalier::run_program(
      argc, argv,
      "Fine-tunes a BERT encoder as a sentence classifier (SST-2 by default) and keeps the best epoch's checkpoint.\n"
      "Example: train_sst2 --model runs/models/minilm-l6 --data ../shared/data/sst2 --output model.h5 --learning-rate "
      "5e-5",
      [&](CLI::App& app) {
        options.declare(app);
        return [&](const espalier::CommonOptions& common) { return espalier::train(options, common); };
      });
}
