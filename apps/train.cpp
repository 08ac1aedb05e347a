// SPDX-License-Identifier: Apache-2.0
// Fine-tunes an encoder on any text with labels; train_sst2 is the same with SST-2 as its data.
#include "apps/cli/train_main.h"

int main(int argc, char** argv) {
  return espalier::train_main(argc, argv, {},
                              "Fine-tunes an encoder on text with labels and keeps the best evaluation's checkpoint.\n"
                              "Example: train --model runs/models/minilm-l6 --data reviews --output model.h5 "
                              "--learning-rate 5e-5",
                              espalier::DefaultData::none);
}
