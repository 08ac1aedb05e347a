// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/train_main.h"

#include <cstdio>

#include "apps/cli/program.h"
#include "apps/training/run.h"
#include "compress/algorithms.h"
#include "compress/distillation/distillation.h"
#include "core/check.h"

namespace espalier {
namespace {

const char* const about_training =
    "Fine-tunes a BERT encoder as a sentence classifier (SST-2 by default) and keeps the best epoch's checkpoint.\n"
    "Example: train_sst2 --model runs/models/minilm-l6 --data runs/data/sst2 --output model.h5 --learning-rate "
    "5e-5";
const char* const about_distillation =
    "Distils a teacher into a student: soft and hard loss, and if asked hidden states, attention and relations.\n"
    "The student is another model (--student), or some layers of one (--student-layers; of the teacher unless "
    "--student is given).\n"
    "Example: distill --teacher model.h5 --student-layers 0,2,4 --data runs/data/sst2 --output student.h5 "
    "--learning-rate 5e-5";

void print(const TrainResult& r, const CommonOptions& common) {
  if (common.json)
    return print_json({{"output", r.output.string()},
                       {"eval_loss", r.loss},
                       {"eval_" + r.metric, r.best},
                       {"best_step", r.best_step},
                       {"steps", r.steps},
                       {"train_runtime", r.training_seconds},
                       {"runtime", r.seconds},
                       {"train_samples_per_second", r.sentences_per_second},
                       {"train_steps_per_second", r.steps_per_second},
                       {"peak_memory", peak_memory()}});
  std::printf(
      "\n  dev loss        %.4f\n  dev %-11s %.4f   (step %ld of %ld)\n  run time        %.1f s   (training %.1f "
      "s)\n  samples/s       %.1f\n  steps/s         %.2f\n  peak memory     %s\n  checkpoint      %s\n",
      r.loss, r.metric.c_str(), r.best, r.best_step, r.steps, r.seconds, r.training_seconds, r.sentences_per_second,
      r.steps_per_second, in_gigabytes(peak_memory()).c_str(), r.output.c_str());
}

int train(TrainOptions& options, const Options& rows, const std::vector<Algorithm>& algorithms,
          const CommonOptions& common) {
  options.seed = common.seed;
  const TrainResult result = Run(options, rows, algorithms, common.listener(true)).run();
  if (result.signal != 0) return 128 + result.signal;
  if (result.was_over) {
    if (common.json) print_json({{"output", result.output.string()}, {"was_over", true}});
    return 0;
  }
  print(result, common);
  return 0;
}

// --student, whose default is the first teacher, cut to the layers that are named.
void declare_student(Options& rows, TrainOptions& options, const DistillationOptions& distillation) {
  rows.add("student", options.model,
           "what to train: a Hugging Face directory, a checkpoint FILE.h5, or "
           "random:tiny|mini|small|medium|base|large; default: the teacher, cut by --student-layers")
      .kept_as("model")
      .by_content()
      .fill([&] {
        CHECK(!distillation.student_layers.all(),
              "--student or --student-layers is missing; expected a model to train, or some layers of the teacher, "
              "such as --student-layers 0,2,4");
        if (distillation.on()) options.model = distillation.teachers.front();
      });
}

}  // namespace

int train_main(int argc, char** argv, const std::vector<Algorithm>& more, const std::string& description) {
  std::vector<Algorithm> all = algorithms();
  for (const Algorithm& own : more) {
    std::erase_if(all, [&](const Algorithm& a) { return a.name == own.name; });
    all.push_back(own);
  }
  TrainOptions options;
  return run_program(argc, argv, description.empty() ? about_training : description, [&](Options& rows) {
    options.declare_model(rows);
    options.declare(rows);
    for (const Algorithm& algorithm : all) declare(algorithm, rows);
    return [&](const CommonOptions& common) { return train(options, rows, all, common); };
  });
}

int distill_main(int argc, char** argv) {
  const auto distillation_options = std::make_shared<DistillationOptions>();
  std::vector<Algorithm> all = algorithms();
  all.back() = distillation(distillation_options);
  TrainOptions options;
  return run_program(argc, argv, about_distillation, [&](Options& rows) {
    declare_student(rows, options, *distillation_options);
    declare(all.back(), rows, false);
    options.declare(rows);
    for (size_t i = 0; i + 1 < all.size(); ++i) declare(all[i], rows);
    return [&](const CommonOptions& common) { return train(options, rows, all, common); };
  });
}

}  // namespace espalier
