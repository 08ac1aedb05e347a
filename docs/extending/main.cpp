// SPDX-License-Identifier: Apache-2.0
// train_sst2 with three algorithms more: another criterion for --prune.method, weights that are powers of two
// (--power.begin), and a teacher that is the average of the student's own past (--average.weight).
#include "apps/cli/train_main.h"
#include "averaged_teacher.h"
#include "compress/pruning/pruning.h"
#include "power_of_two.h"
#include "relative_importance.h"

int main(int argc, char** argv) {
  return espalier::train_main(argc, argv,
                              {espalier::pruning({lab::relative_importance()}),  // takes the place of ours
                               lab::powers_of_two(), lab::averaged_teacher()},
                              "Trains with our own algorithms.\nExample: lab --model random:tiny --output model.h5 "
                              "--prune.amount 0.6 --prune.method relative --power.begin 75%");
}
