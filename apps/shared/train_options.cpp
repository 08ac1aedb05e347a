// SPDX-License-Identifier: Apache-2.0
// The options of a fine-tuning: what they are called, what they mean, what is allowed.
#include <cmath>
#include <filesystem>

#include "apps/shared/precision.h"
#include "apps/shared/training.h"
#include "core/check.h"
#include "data/files/atomic_file.h"
#include "optim/schedule.h"

namespace espalier {

void TrainOptions::declare(CLI::App& app, bool distilling) {
  const std::string forms =
      "a Hugging Face directory, a checkpoint FILE.h5, or random:tiny|mini|small|medium|base|large";
  if (distilling)
    app.add_option("--student", model, "what to train: " + forms + "; default: the teacher, cut by --student-layers");
  else
    app.add_option("--model", model, "what to fine-tune: " + forms)->required();
  distill.declare(app, distilling ? "" : "distill.");
  app.add_option("--data", data,
                 "folder with train.tsv and dev.tsv (header: sentence, optional sentence2, label); default: "
                 "$ESPALIER_DATA, ../shared/data/sst2, else built-in synthetic reviews");
  app.add_option("--output", output,
                 "checkpoint to write: the weights of the best evaluation, with configuration and vocabulary")
      ->required();
  app.add_option("--vocab", vocab, "vocab.txt for random:* models; default: the vocabulary of the synthetic reviews");
  app.add_option("--labels", labels, "class names in the order of the numbers in the label column")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--epochs", epochs, "passes over the training data")->capture_default_str();
  app.add_option("--batch-size", batch_size, "sentences a batch")->capture_default_str();
  app.add_option("--accumulate", accumulate,
                 "batches a step: the result equals one batch of batch-size * accumulate sentences")
      ->capture_default_str();
  app.add_option("--learning-rate", learning_rate, "peak learning rate")->capture_default_str();
  app.add_option("--weight-decay", weight_decay,
                 "AdamW's decoupled decay of weights and embeddings; biases and layer norms do not decay")
      ->capture_default_str();
  app.add_option("--schedule", schedule, "after the warm-up: linear or cosine to zero, or constant")
      ->capture_default_str();
  app.add_option("--warmup", warmup, "share of the steps over which the rate rises from zero")->capture_default_str();
  app.add_option("--max-grad-norm", max_grad_norm, "gradients are scaled down to this global norm; 0: never")
      ->capture_default_str();
  app.add_option("--max-length", max_length, "tokens a sentence or pair, with [CLS] and [SEP]; longer ones are cut")
      ->capture_default_str();
  app.add_option("--dropout", dropout, "probability for all dropouts; default: the model's own");
  app.add_option("--shuffle", shuffle, "new order of the sentences each epoch, by the seed; false: the file's order")
      ->capture_default_str();
  app.add_option("--max-steps", max_steps, "stop, and end the schedule, after so many steps; 0: after the epochs")
      ->capture_default_str();
  declare_precision(app, precision);
  app.add_flag(
      "--gradient-checkpointing", gradient_checkpointing,
      "keep only each layer's input for the backward pass and compute the rest again: less memory, a third more time");
  prune.declare(app, "prune.", true);
  qat.declare(app, "qat.", true);
  app.add_option("--log-dir", log_dir,
                 "folder for metrics.jsonl: each step's loss, gradient norm, rate and speed, each evaluation");
  app.add_option("--evaluate-every", evaluate_every,
                 "steps between evaluations, each of which may find the best checkpoint; 0: only after each epoch")
      ->capture_default_str();
  app.add_option("--save-every", save_every,
                 "steps between saves of OUTPUT.state.h5, from which --resume continues to the same bits; 0: only when "
                 "interrupted")
      ->capture_default_str();
  app.add_flag("--resume", resume, "continue a stopped run from OUTPUT.state.h5, or start if there is none");
}

void TrainOptions::complete() {
  if (!model.empty()) return;
  CHECK(!distill.student_layers.empty(),
        "--student or --student-layers is missing; expected a model to train, or some "
        "layers of the teacher, such as --student-layers 0,2,4");
  model = distill.teachers.front();
}

void TrainOptions::check() const {
  const auto at_least = [](const char* option, int64_t value, int64_t least) {
    CHECK(value >= least, option, " ", value, ": at least ", least, " is expected");
  };
  at_least("--epochs", epochs, 1);
  at_least("--batch-size", batch_size, 1);
  at_least("--accumulate", accumulate, 1);
  at_least("--max-steps", max_steps, 0);
  at_least("--save-every", save_every, 0);
  at_least("--evaluate-every", evaluate_every, 0);
  CHECK(warmup >= 0 && warmup <= 1, "--warmup ", warmup, ": a share from 0 to 1 is expected");
  CHECK((dropout >= 0 && dropout < 1) || dropout == -1, "--dropout ", dropout, ": a probability below 1 is expected");
  CHECK(weight_decay >= 0 && std::isfinite(weight_decay), "--weight-decay ", weight_decay,
        ": 0 or a positive number is expected");
  CHECK(max_grad_norm >= 0, "--max-grad-norm ", max_grad_norm, ": 0 or a positive number is expected");
  prune.check();
  qat.check();
  distill.check();
  CHECK(labels.size() >= 2, "--labels: at least two class names are expected");
  Schedule{.kind = schedule, .peak = learning_rate}.check();
  const auto folder = std::filesystem::absolute(output).parent_path();
  CHECK(std::filesystem::is_directory(folder), "--output ", output, ": there is no folder ", folder.string());
  AtomicFile{output};  // throws unless it can be written; training takes too long to learn that at its end
}

nlohmann::json TrainOptions::effective(uint64_t seed) const {
  nlohmann::json options = {{"model", model},
                            {"data", data},
                            {"vocab", vocab},
                            {"labels", labels},
                            {"epochs", epochs},
                            {"batch-size", batch_size},
                            {"accumulate", accumulate},
                            {"learning-rate", learning_rate},
                            {"weight-decay", weight_decay},
                            {"schedule", schedule},
                            {"warmup", warmup},
                            {"max-grad-norm", max_grad_norm},
                            {"max-length", max_length},
                            {"dropout", dropout},
                            {"shuffle", shuffle},
                            {"max-steps", max_steps},
                            {"evaluate-every", evaluate_every},
                            {"seed", seed}};
  if (prune.on() || prune.shrink) options["prune"] = prune.effective();
  if (qat.on) options["qat"] = qat.effective();
  if (distill.on() || !distill.student_layers.empty()) options["distill"] = distill.effective();
  return options;
}

}  // namespace espalier
