// SPDX-License-Identifier: Apache-2.0
// The program train with SST-2 as its data, or what stands in for it.
#include "apps/cli/train_main.h"

int main(int argc, char** argv) { return espalier::train_main(argc, argv); }
