// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/train_main.h"

#include <algorithm>
#include <set>

#include "apps/cli/program.h"
#include "apps/cli/training_results.h"
#include "apps/training/datasets.h"
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

const char* const about_pretraining =
    "Pre-trains an encoder on plain text: masked words, and whether one sentence follows another. The text is read as "
    "a\n"
    "stream. train --model goes on from the checkpoint. More in docs/PRETRAINING.md.\n"
    "Example: pretrain --corpus books.txt --model random:mini --vocab vocabulary --output pre.h5 --max-steps 10000";

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

// --pretrain.*: on the text of the task, or on other text, before the fine-tuning.
struct PretrainFirst {
  CorpusOptions corpus = {.next_sentence = false};
  LearningOptions learning = {.epochs = 0, .learning_rate = 1e-4};

  bool on() const { return learning.epochs > 0; }

  void declare(Options& rows, const TrainOptions& options) {
    rows.begin({.prefix = "pretrain.",
                .entry = "pretrain",
                .heading = "Pre-training first",
                .on = [this] { return on(); },
                .why = "nothing is pre-trained without --pretrain.epochs"});
    rows.add("corpus", corpus.files, "plain text or tables to pre-train on; default: the training text").by_content();
    corpus.declare(rows);
    learning.declare(rows);
    rows.rule([&options] {
      CHECK(!options.dry_run, "--dry-run: tries the fine-tuning alone; expected it without --pretrain.epochs");
    });
    rows.begin({});
  }

  // The run of the pre-training; its output lies beside that of the fine-tuning.
  TrainOptions of(TrainOptions options) const {
    options.corpus = corpus;
    options.corpus.table = options.table;
    if (corpus.files.empty()) options.corpus.files = {find_data(options.data).train.string()};
    options.learning = learning;
    options.task = TaskOptions();
    options.task.metric = "loss";
    options.head.clear();
    options.labels.clear();
    options.keep = {.save_every = options.keep.save_every, .resume = options.keep.resume};
    options.output = std::filesystem::path(options.output).replace_extension(".pretrained.h5").string();
    if (!options.log.folder.empty()) options.log.folder += "/pretrain";
    return options;
  }
};

// What train does with one seed.
struct Training {
  TrainOptions& options;
  const Options& rows;
  const std::vector<Algorithm>& algorithms;
  const PretrainFirst& first;

  TrainResult run(const Listener& listener) const {
    if (first.on()) {
      TrainOptions pretraining = first.of(options);
      TrainResult result = Run(pretraining, rows, {}, listener).run();
      if (result.signal != 0) return result;
      listener.say(format("pre-trained: dev loss %.4f; the fine-tuning starts from ", result.loss) +
                   pretraining.output);
      options.model = pretraining.output;
      options.vocab.clear();
    }
    return Run(options, rows, algorithms, listener).run();
  }
};

int train_seeds(const Training& training, CommonOptions& common, const std::vector<uint64_t>& seeds) {
  const TrainOptions given = training.options;
  std::vector<SeedResult> results;
  for (const uint64_t seed : seeds) {
    training.options = for_seed(given, seed);
    common.seed = seed;
    const TrainResult result = training.run(common.listener(true));
    if (result.signal != 0) return 128 + result.signal;
    print_result(result, common);
    results.push_back({seed, result});
  }
  print_summary(results, common);
  return 0;
}

int train(const Training& training, CommonOptions& common, const std::vector<uint64_t>& seeds) {
  TrainOptions& options = training.options;
  options.seed = seeds.empty() ? common.seed : seeds.front();
  if (options.dry_run) {
    const Forecast forecast = Run(options, training.rows, training.algorithms, common.listener(true)).dry_run();
    print_forecast(forecast, training.rows, std::max<int64_t>(1, std::ssize(seeds)), common);
    return 0;
  }
  if (!seeds.empty()) return train_seeds(training, common, seeds);
  const TrainResult result = training.run(common.listener(true));
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
  PretrainFirst first;
  options.default_data = default_data;
  const Declare declare_all = [&](Options& rows) {
    options.declare_model(rows);
    options.declare(rows);
    several.declare(rows);
    for (const Algorithm& algorithm : all) declare(algorithm, rows);
    first.declare(rows, options);
    return [&](CommonOptions& common) { return train({options, rows, all, first}, common, several.seeds); };
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
    return [&](CommonOptions& common) { return train({options, rows, all, {}}, common, several.seeds); };
  };
  return run_program(argc, argv, about_distillation, declare_all, join_ranks);
}

int pretrain_main(int argc, char** argv) {
  const std::vector<Algorithm> all = algorithms();
  TrainOptions options;
  SeedOptions several;
  options.learning = {.epochs = 1, .learning_rate = 1e-4};
  const Declare declare_all = [&](Options& rows) {
    options.declare_model(rows);
    options.declare_pretraining(rows);
    several.declare(rows);
    for (const Algorithm& algorithm : all) declare(algorithm, rows);
    return [&](CommonOptions& common) { return train({options, rows, all, {}}, common, several.seeds); };
  };
  return run_program(argc, argv, about_pretraining, declare_all, join_ranks);
}

}  // namespace espalier
