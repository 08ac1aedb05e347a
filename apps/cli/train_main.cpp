// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/train_main.h"

#include <algorithm>
#include <set>

#include "apps/cli/program.h"
#include "apps/cli/training_results.h"
#include "apps/training/run.h"
#include "compress/algorithms.h"
#include "compress/distillation/distillation.h"
#include "core/check.h"
#include "core/ranks/join.h"

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

// --seeds.
struct SeedOptions {
  std::vector<uint64_t> seeds = {};

  void declare(Options& rows) {
    rows.add("seeds", seeds,
             "train with each of these seeds, such as 0,1,2, one after the other; the outputs are OUTPUT-seed-N.h5, "
             "and a table has the mean and the standard deviation of the metrics")
        .by_commas()
        .range([this] { return std::set(seeds.begin(), seeds.end()).size() == seeds.size(); },
               "different seeds are expected")
        .free();
    rows.rule([this, &rows] {
      for (const Option& row : rows.rows())
        CHECK(row.name != "seed" || !row.given || seeds.empty(), "--seed and --seeds: expected one of them");
    });
  }
};

// The run for one of several seeds: its outputs are beside those of the others.
TrainOptions for_seed(TrainOptions options, uint64_t seed) {
  const std::string name = "-seed-" + std::to_string(seed);
  const std::filesystem::path output = options.output;
  options.output = (output.parent_path() / (output.stem().string() + name + output.extension().string())).string();
  if (!options.log.folder.empty()) options.log.folder += "/" + name.substr(1);
  options.seed = seed;
  return options;
}

int train_seeds(TrainOptions& options, const Options& rows, const std::vector<Algorithm>& algorithms,
                CommonOptions& common, const std::vector<uint64_t>& seeds) {
  const TrainOptions given = options;
  std::vector<SeedResult> results;
  for (const uint64_t seed : seeds) {
    options = for_seed(given, seed);
    common.seed = seed;
    const TrainResult result = Run(options, rows, algorithms, common.listener(true)).run();
    if (result.signal != 0) return 128 + result.signal;
    print_result(result, common);
    results.push_back({seed, result});
  }
  print_summary(results, common);
  return 0;
}

int train(TrainOptions& options, const Options& rows, const std::vector<Algorithm>& algorithms, CommonOptions& common,
          const std::vector<uint64_t>& seeds) {
  options.seed = seeds.empty() ? common.seed : seeds.front();
  if (options.dry_run) {
    const Forecast forecast = Run(options, rows, algorithms, common.listener(true)).dry_run();
    print_forecast(forecast, rows, std::max<int64_t>(1, std::ssize(seeds)), common);
    return 0;
  }
  if (!seeds.empty()) return train_seeds(options, rows, algorithms, common, seeds);
  const TrainResult result = Run(options, rows, algorithms, common.listener(true)).run();
  if (result.signal != 0) return 128 + result.signal;
  print_result(result, common);
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

int train_main(int argc, char** argv, const std::vector<Algorithm>& more, const std::string& description,
               DefaultData default_data) {
  std::vector<Algorithm> all = algorithms();
  for (const Algorithm& own : more) {
    std::erase_if(all, [&](const Algorithm& a) { return a.name == own.name; });
    all.push_back(own);
  }
  TrainOptions options;
  SeedOptions several;
  options.default_data = default_data;
  const Declare declare_all = [&](Options& rows) {
    options.declare_model(rows);
    options.declare(rows);
    several.declare(rows);
    for (const Algorithm& algorithm : all) declare(algorithm, rows);
    return [&](CommonOptions& common) { return train(options, rows, all, common, several.seeds); };
  };
  return run_program(argc, argv, description.empty() ? about_training : description, declare_all, join_ranks);
}

int distill_main(int argc, char** argv) {
  const auto distillation_options = std::make_shared<DistillationOptions>();
  std::vector<Algorithm> all = algorithms();
  all.back() = distillation(distillation_options);
  TrainOptions options;
  SeedOptions several;
  const Declare declare_all = [&](Options& rows) {
    declare_student(rows, options, *distillation_options);
    declare(all.back(), rows, false);
    options.declare(rows);
    several.declare(rows);
    for (size_t i = 0; i + 1 < all.size(); ++i) declare(all[i], rows);
    return [&](CommonOptions& common) { return train(options, rows, all, common, several.seeds); };
  };
  return run_program(argc, argv, about_distillation, declare_all, join_ranks);
}

}  // namespace espalier
