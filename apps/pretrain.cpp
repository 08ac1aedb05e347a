// SPDX-License-Identifier: Apache-2.0
// Pre-trains an encoder on plain text (Devlin et al. 2019, arXiv:1810.04805).
#include "apps/cli/train_main.h"

int main(int argc, char** argv) { return espalier::pretrain_main(argc, argv); }
