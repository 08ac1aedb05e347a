// SPDX-License-Identifier: Apache-2.0
// Trains a student with a teacher's answers beside the labels (Hinton et al. 2015, arXiv:1503.02531).
#include "apps/cli/train_main.h"

int main(int argc, char** argv) { return espalier::distill_main(argc, argv); }
