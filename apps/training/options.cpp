// SPDX-License-Identifier: Apache-2.0
// The options of a fine-tuning: what they are called, what they mean, what is allowed.
#include "apps/training/options.h"

#include <algorithm>
#include <bit>

#include "apps/training/datasets.h"
#include "apps/training/output.h"
#include "apps/training/table_options.h"
#include "nn/heads/heads.h"

namespace espalier {

namespace {

const char* const schedule_reason = "the learning rates of all steps depend on it";
const char* const best_reason = "which checkpoint is the best depends on it";

}  // namespace

void LearningOptions::declare(Options& rows) {
  rows.add("epochs", epochs, "passes over the training data")
      .at_least(std::min<int64_t>(epochs, 1))
      .at_most(1'000'000)
      .is_switch()
      .because(schedule_reason);
  rows.add("batch-size", batch_size, "sentences a batch").at_least(1).at_most(1'000'000);
  rows.add("accumulate", accumulate, "batches a step: the result equals one batch of batch-size * accumulate sentences")
      .at_least(1)
      .at_most(1'000'000);
  auto parts = rows.add("micro-batches", micro_batches,
                        "parts into which a batch is cut, a power of two; each has a gradient of its own, and a tree "
                        "that their positions fix sums them: any number of ranks, up to this one, gives the same bits; "
                        "default: 8 where mpirun starts the program, else 1");
  parts.no_default().range(
      [this] {
        return micro_batches > 0 && micro_batches <= 65536 && std::has_single_bit(static_cast<uint64_t>(micro_batches));
      },
      "a power of two from 1 to 65536 is expected");
  micro_batches_row = &parts.option();
  rows.add("gradient-dtype", gradient_dtype,
           "of the gradients that micro-batches add up and ranks exchange: f32, or bf16, which halves the bytes that "
           "travel and rounds each sum");
  rows.add("learning-rate", learning_rate, "peak learning rate").positive();
  rows.add("optimizer", optimizer,
           "adamw (Loshchilov & Hutter 2019) or, for large batches, lamb (You et al. 2020): each tensor's step is in "
           "proportion to its size");
  rows.add("weight-decay", weight_decay,
           "the optimizer's decoupled decay of weights and embeddings; biases and layer norms do not decay")
      .not_negative();
  rows.add("layer-decay", layer_decay,
           "the learning rate of layer l of L, from 0, is the rate * layer-decay^(L - l), that of the embeddings the "
           "rate * layer-decay^(L + 1); the head has the whole rate")
      .range([this] { return layer_decay > 0 && layer_decay <= 1; }, "a number above 0, up to 1, is expected");
  rows.add("freeze", freeze,
           "parameters that keep their values, by name with * for any text: bert.embeddings.* bert.encoder.layer.0.*");
  rows.add("schedule", schedule, "after the warm-up: linear or cosine to zero, or constant");
  rows.add("warmup", warmup, "share of the steps over which the rate rises from zero")
      .between(0, 1, "a share from 0 to 1 is expected");
  rows.add("max-grad-norm", max_grad_norm, "gradients are scaled down to this global norm; 0: never")
      .range([this] { return max_grad_norm >= 0; }, "0 or a positive number is expected");
  rows.add("ema", ema,
           "decay a step of the average of all weights so far, which is evaluated and saved instead of the last ones; "
           "such as 0.999; 0: there is no average")
      .range([this] { return ema >= 0 && ema < 1; }, "a number from 0 to below 1 is expected");
  rows.add("shuffle", shuffle, "new order of the sentences each epoch, by the seed; false: the file's order");
  rows.add("max-steps", max_steps, "stop, and end the schedule, after so many steps; 0: after the epochs")
      .at_least(0)
      .because(schedule_reason);
}

void KeepOptions::declare(Options& rows) {
  rows.add("evaluate-every", evaluate_every,
           "steps between evaluations, each of which may find the best checkpoint; 0: only after each epoch")
      .at_least(0)
      .because(best_reason);
  rows.add("patience", patience, "stop after so many evaluations one after the other without a better metric; 0: never")
      .at_least(0)
      .because("when the run ends depends on it");
  rows.add("min-improvement", min_improvement, "a metric is better, for --patience, from this difference on")
      .not_negative()
      .only_if([this] { return patience > 0; }, "is for --patience")
      .because("when the run ends depends on it");
  rows.add(
          "keep-last", keep_last,
          "also keep the weights of the last so many evaluations, as OUTPUT.step-N.h5; older ones are removed; 0: none")
      .at_least(0)
      .free();
  rows.add("save-every", save_every,
           "steps between saves of OUTPUT.state.h5, from which --resume continues to the same bits; 0: only when "
           "interrupted")
      .at_least(0)
      .free();
  rows.flag("resume", resume,
            "continue a stopped run from OUTPUT.state.h5, or start if there is none; a finished run is left alone")
      .free();
}

void LogOptions::declare(Options& rows) {
  rows.add("log-dir", folder, "folder for the log: each step's loss, gradient norm, rate and speed, each evaluation")
      .free();
  rows.add("log-format", format, "of the log: metrics.jsonl, event files for TensorBoard, or both")
      .only_if([this] { return !folder.empty(); }, "is for --log-dir")
      .free();
}

void TrainOptions::declare_model(Options& rows) {
  rows.add("model", model,
           "what to fine-tune: a Hugging Face directory, a checkpoint FILE.h5, or "
           "random:tiny|mini|small|medium|base|large")
      .required()
      .by_content();
}

void TrainOptions::declare_data(Options& rows) {
  const std::string where = default_data == DefaultData::sst2
                                ? "$ESPALIER_DATA, runs/data/sst2, else built-in synthetic reviews"
                                : "$ESPALIER_DATA; one of the two is required";
  rows.add("data", data,
           "folder with train and dev (or validation) .tsv, .csv or .jsonl, or the training file alone; default: " +
               where)
      .by_content();
  rows.rule([this] {
    CHECK(default_data == DefaultData::sst2 || !data.empty() || !data_of_environment().empty(),
          "--data is missing; expected a folder with train.tsv and dev.tsv, here or in $ESPALIER_DATA");
  });
  rows.add("dev-data", dev_data, "file to evaluate on; default: the one in --data").by_content();
  rows.add("validation-split", validation_split,
           "share of the training file to evaluate on instead of training, chosen by the seed, of each class alike; "
           "for data without a dev file")
      .range([this] { return validation_split >= 0 && validation_split < 1; },
             "a share from 0 on, below 1, is expected");
  declare_table(rows, table);
}

void TrainOptions::declare_output(Options& rows) {
  rows.add("output", output,
           "checkpoint to write: the weights of the best evaluation, with configuration and vocabulary")
      .required()
      .free();
  declare_overwrite(rows, overwrite);
  rows.add("vocab", vocab,
           "vocab.txt, or a directory that train_vocab has written, for random:* models; default: the vocabulary of "
           "the synthetic reviews")
      .by_content();
}

void TrainOptions::declare(Options& rows) {
  declare_data(rows);
  declare_output(rows);
  rows.add("task", head,
           "of a new head: classification, regression (numbers) or multi-label (any number of classes for each text); "
           "default: the model's");
  rows.rule([this] {
    if (!head.empty()) head_named(head, "--task");
  });
  rows.add("labels", labels,
           "class names in the order of the numbers in the label column; another number of them than the model has "
           "makes a new head; default: the model's if its head is trained, else those in labels.txt beside the "
           "training file, else LABEL_0, LABEL_1, … or the words in the label column")
      .by_commas()
      .no_default()
      .range([this] { return labels.empty() || labels.size() >= 2; }, "at least two class names are expected");
  learning.declare(rows);
  task.declare(rows);
  declare_work(rows);
  rows.flag("dry-run", dry_run,
            "train a few steps only and print options, groups of parameters, data, steps, memory and time to expect; "
            "no file is written")
      .only_if([this] { return !keep.resume; }, "does not go on from a stopped run, as --resume says")
      .free();
}

void TrainOptions::declare_pretraining(Options& rows) {
  rows.add(
          "corpus", corpus.files,
          "text to learn from, of any size: UTF-8, a sentence or paragraph a line, an empty line between documents; or "
          ".tsv, .csv and .jsonl, of which each row is a document")
      .required()
      .by_content();
  corpus.declare(rows);
  declare_text_columns(rows, corpus.table);
  declare_output(rows);
  task.metric = "loss";
  learning.declare(rows);
  declare_work(rows);
}

void TrainOptions::declare_work(Options& rows) {
  rows.add(
      "max-length", max_length,
      "tokens a sentence or pair, with [CLS] and [SEP]; longer ones are cut; by default no more than the model has "
      "positions");
  auto dropouts = rows.add("dropout", dropout, "probability for all dropouts; default: the model's own");
  dropouts.no_default().range([this, &row = dropouts.option()] { return (dropout >= 0 && dropout < 1) || !row.given; },
                              "a probability below 1 is expected");
  rows.add("precision", precision,
           "of the encoder's products: f32; bf16 (mixed precision: f32 weights, sums, softmax and layer norms); auto: "
           "bf16 where the CPU has it");
  rows.flag("gradient-checkpointing", gradient_checkpointing,
            "keep only each layer's input for the backward pass and compute the rest again: less memory, a third more "
            "time")
      .free();
  log.declare(rows);
  keep.declare(rows);
}

}  // namespace espalier
