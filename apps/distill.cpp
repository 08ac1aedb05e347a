// SPDX-License-Identifier: Apache-2.0
// Trains a student with a teacher's answers beside the labels (Hinton et al. 2015, arXiv:1503.02531).
#include "apps/shared/training.h"

int main(int argc, char** argv) {
  espalier::TrainOptions options;
  return espalier::run_program(
      argc, argv,
      "Distils a teacher into a student: soft and hard loss, and if asked hidden states, attention and relations.\n"
      "The student is another model (--student), or some layers of one (--student-layers; of the teacher unless "
      "--student is given).\n"
      "Example: distill --teacher model.h5 --student-layers 0,2,4 --data ../shared/data/sst2 --output student.h5 "
      "--learning-rate 5e-5",
      [&](CLI::App& app) {
        options.declare(app, true);
        return [&](const espalier::CommonOptions& common) { return espalier::train(options, common); };
      });
}
