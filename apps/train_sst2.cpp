// SPDX-License-Identifier: Apache-2.0
// Fine-tunes a BERT classifier on SST-2, or on any TSV of sentences or pairs with labels.
#include "apps/cli/train_main.h"

int main(int argc, char** argv) { return espalier::train_main(argc, argv); }
