// SPDX-License-Identifier: Apache-2.0
#include "apps/shared/training.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "apps/shared/compression.h"
#include "apps/shared/datasets.h"
#include "apps/shared/evaluation.h"
#include "apps/shared/precision.h"
#include "apps/shared/progress.h"
#include "apps/shared/run_log.h"
#include "apps/shared/stop_signal.h"
#include "apps/shared/timing.h"
#include "compress/cutting/shrink.h"
#include "core/kernels/isa.h"
#include "core/parallel.h"
#include "data/models/model_source.h"
#include "optim/adamw.h"
#include "optim/schedule.h"

namespace espalier {
namespace {

// Forward and backward over the batches of one optimizer step. The loss is the mean over the window's sentences, so
// accumulation equals the large batch. Returns the loss.
double compute_gradients(const Bert& model, const Window& window,
                         std::span<const std::unique_ptr<Compressor>> compressors, uint64_t first_batch,
                         uint64_t seed) {
  const bool looks_inside = std::ranges::any_of(compressors, [](const auto& c) { return c->looks_inside(); });
  double total = 0;
  for (const PackedBatch& batch : window.batches) {
    Tape tape;
    Context context{.tape = &tape, .training = true, .seed = seed, .step = first_batch++};
    Activations inside;
    const Var logits = model(batch, context, looks_inside ? &inside : nullptr);
    Var loss = model.head().loss(logits, batch, window.labelled);
    for (const auto& c : compressors) loss = c->loss(loss, {batch, window, logits, inside}, context);
    tape.backward(loss);
    total += static_cast<double>(*loss.value.data<float>());
  }
  return total;
}

class Run {
 public:
  Run(const TrainOptions& options, const CommonOptions& common);
  int run();  // the loop

 private:
  void resume();
  void log_step(const Window& window, double loss, double norm, double rate, Progress& progress);
  void evaluate_and_keep_best(Progress& progress);
  void save_state() const;
  int64_t evaluated_step() const { return state_.extra.value("evaluated_step", int64_t{0}); }  // the last one
  int64_t next_evaluation() const;
  double epochs_done() const { return static_cast<double>(state_.step) / static_cast<double>(loader_->windows()); }
  void shrink_output() const;
  void print_result() const;
  void say(const std::string& line) const {
    if (!common_.quiet) std::fprintf(common_.json ? stderr : stdout, "%s\n", line.c_str());
  }

  const TrainOptions& options_;
  const CommonOptions& common_;
  Stopwatch watch_;
  std::filesystem::path output_, state_path_;
  std::unique_ptr<Model> model_;
  TokenizedDataset train_data_, dev_data_;
  std::unique_ptr<Loader> loader_;
  std::unique_ptr<AdamW> optimizer_;
  std::vector<std::unique_ptr<Compressor>> compressors_;  // in the order of their hooks; empty: plain fine-tuning
  Schedule schedule_;
  TrainingState state_;
  Evaluation last_;
  RunLog log_;
  double training_seconds_ = 0;  // of this process, without evaluation
  int64_t sentences_ = 0, first_step_ = 0;
};

Run::Run(const TrainOptions& options, const CommonOptions& common)
    : options_(options), common_(common), output_(options.output) {
  state_path_ = std::filesystem::path(output_).replace_extension(".state.h5");
  model_ = open_student(options, common.seed);
  model_->options = options.effective(common.seed);
  check_max_length(options.max_length, model_->config.max_position_embeddings);
  if (options.dropout >= 0) model_->bert->set_dropout(static_cast<float>(options.dropout));

  const DataFolder folder = find_data(options.data);
  model_->options["data"] = folder.path.string();
  train_data_ = load_tsv(folder.path / "train.tsv", model_->tokenizer, model_->bert->head(), options.max_length);
  dev_data_ = load_tsv(folder.path / "dev.tsv", model_->tokenizer, model_->bert->head(), options.max_length);
  add_unlabelled(options, *model_, common.seed, train_data_, [this](const std::string& line) { say(line); });
  loader_ =
      std::make_unique<Loader>(train_data_, LoaderOptions{.batch_size = options.batch_size,
                                                          .accumulate = options.accumulate,
                                                          .order = options.shuffle ? Order::shuffled : Order::file,
                                                          .seed = common.seed});
  optimizer_ = std::make_unique<AdamW>(model_->store, AdamWOptions{.weight_decay = options.weight_decay});
  const int64_t all = options.epochs * loader_->windows(),
                total = options.max_steps > 0 ? std::min(all, options.max_steps) : all;
  schedule_ = {.kind = options.schedule,
               .peak = options.learning_rate,
               .warmup = static_cast<int64_t>(options.warmup * static_cast<double>(total)),
               .total = total};
  state_.seed = common.seed;

  say("model: " + options.model + format(" (%.1f M parameters; ", static_cast<double>(model_->store.count()) * 1e-6) +
      model_->report.text() + ")");
  say(folder.note + format(": %ld training sentences of %.1f tokens, %ld dev sentences", train_data_.sentences(),
                           static_cast<double>(train_data_.tokens()) / static_cast<double>(train_data_.sentences()),
                           dev_data_.sentences()));
  say(optimizer_->describe());
  say(format("schedule: %ld steps of %ld sentences, %s to %g after %ld warm-up steps; gradients clipped at norm %g",
             total, options.batch_size * options.accumulate, options.schedule.c_str(), options.learning_rate,
             schedule_.warmup, options.max_grad_norm));
  compressors_ =
      make_compressors(options, common, *model_, train_data_, total, [this](const std::string& line) { say(line); });
  const Precision precision = choose_precision(options.precision);
  model_->options["precision"] = name_of(precision.compute);  // as chosen, so that resume cannot change it
  say("machine: " + kernels::cpu_description() +
      format(", %d threads, kernels on %s, ", threads(), kernels::current_isa().c_str()) + precision.note);
  resume();
  model_->bert->set_compute(precision.compute);
  model_->bert->set_gradient_checkpointing(options.gradient_checkpointing);
  if (!options.log_dir.empty()) log_ = RunLog(options.log_dir, state_.step, evaluated_step());
}

void Run::resume() {
  if (!options_.resume) return;
  if (!std::filesystem::exists(state_path_))
    return say("resume: there is no " + state_path_.string() + " yet, starting from the beginning");
  const Checkpoint saved(state_path_);
  for (const auto& [key, value] : saved.contents().options.items())
    CHECK(model_->options.contains(key), state_path_.string(), ": --", key, " was ", value.dump(),
          " and is now missing; resume with the options of the stopped run");
  for (const auto& [key, value] : model_->options.items())
    CHECK(saved.contents().options.contains(key) && saved.contents().options[key] == value, state_path_.string(),
          ": --", key, " was ", saved.contents().options.value(key, nlohmann::json()).dump(), " and is now ",
          value.dump(), "; resume with the options of the stopped run");
  saved.load_weights(model_->store);
  saved.load_optimizer(*optimizer_, model_->store);
  for (size_t i = 0; i < compressors_.size(); ++i)
    compressors_[i]->load(saved.root().group("compressors").group(std::to_string(i)));
  state_ = saved.state();
  first_step_ = state_.step;
  say(format("resume: from step %ld of ", state_.step) + state_path_.string());
}

// The step before which the model is evaluated next: the end of the epoch or of the run, or --evaluate-every.
int64_t Run::next_evaluation() const {
  const int64_t next = std::min(schedule_.total, (state_.epoch + 1) * loader_->windows()),
                every = options_.evaluate_every;
  return every > 0 ? std::min(next, (evaluated_step() / every + 1) * every) : next;
}

int Run::run() {
  Progress progress(schedule_.total, !common_.quiet, common_.json);
  while (evaluated_step() < schedule_.total && stop_signal() == 0) {
    const Epoch epoch = loader_->epoch(state_.epoch);
    for (const int64_t next = next_evaluation(); state_.step < next && stop_signal() == 0;) {
      const Stopwatch watch;
      const Window window = epoch.window(state_.batch);
      for (const auto& c : compressors_) c->before_forward(state_.step);
      const double loss = compute_gradients(*model_->bert, window, compressors_,
                                            static_cast<uint64_t>(state_.step * options_.accumulate), common_.seed);
      for (const auto& c : compressors_) c->after_backward(state_.step);
      const double norm = gradient_norm(model_->store);
      if (!std::isfinite(loss) || !std::isfinite(norm))
        throw Failure(
            format("training: loss %g and gradient norm %g at step %ld (epoch %ld, batch %ld); the last good "
                   "checkpoint is kept; try a lower --learning-rate",
                   loss, norm, state_.step + 1, state_.epoch + 1, state_.batch + 1));
      const double rate = schedule_.rate(state_.step);
      optimizer_->step(rate, clip_factor(norm, options_.max_grad_norm));
      for (const auto& c : compressors_) c->after_step(state_.step);
      ++state_.step;
      ++state_.batch;
      training_seconds_ += watch.seconds();
      log_step(window, loss, norm, rate, progress);
      if (options_.save_every > 0 && state_.step % options_.save_every == 0) save_state();
    }
    if (stop_signal() != 0) break;  // an evaluation that is due is left to the resumed run
    evaluate_and_keep_best(progress);
    if (state_.batch == loader_->windows()) {
      ++state_.epoch;
      state_.batch = 0;
    }
    if (options_.save_every > 0) save_state();
  }
  if (evaluated_step() < schedule_.total) {
    save_state();
    progress.print(format("stopped after step %ld; --resume continues from ", state_.step) + state_path_.string());
    return 128 + stop_signal();
  }
  if (options_.prune.shrink) shrink_output();
  print_result();
  return 0;
}

void Run::log_step(const Window& window, double loss, double norm, double rate, Progress& progress) {
  sentences_ += window.sentences;
  const double speed = static_cast<double>(sentences_) / training_seconds_;
  nlohmann::json line = {{"step", state_.step}, {"epoch", epochs_done()}, {"loss", loss},
                         {"grad_norm", norm},   {"learning_rate", rate},  {"examples_per_second", speed}};
  for (const auto& c : compressors_)
    for (const auto& [name, value] : c->terms()) line[name] = value;
  log_.write(line);
  progress.update(state_.step,
                  format("epoch %ld  loss %.4f  rate %.2e  %.1f examples/s", state_.epoch + 1, loss, rate, speed));
}

void Run::evaluate_and_keep_best(Progress& progress) {
  for (const auto& c : compressors_) c->before_evaluation();
  last_ = evaluate(*model_->bert, dev_data_, options_.batch_size);
  for (const auto& c : compressors_) c->after_evaluation();
  if (!std::isfinite(last_.metrics.loss))
    throw Failure(
        format("evaluation: loss %g after step %ld (epoch %ld, batch %ld); the last good checkpoint is kept; try a "
               "lower --learning-rate",
               last_.metrics.loss, state_.step, state_.epoch + 1, state_.batch));
  state_.extra["evaluated_step"] = state_.step;
  nlohmann::json line = last_.to_json();
  line["step"] = state_.step;
  line["epoch"] = epochs_done();
  log_.write(line);
  const bool complete = std::ranges::all_of(compressors_, [&](const auto& c) { return c->complete(state_.step); });
  const bool best = complete && last_.metrics.best() > state_.best_accuracy;
  if (best) {
    state_.best_accuracy = last_.metrics.best();
    state_.best_step = state_.step;
    state_.extra["best_loss"] = last_.metrics.loss;
    save_checkpoint(output_, model_->store, model_->contents());
  }
  progress.print(format("epoch %.4g  dev loss %.4f  %s %.4f%s", epochs_done(), last_.metrics.loss,
                        model_->bert->head().metric().c_str(), last_.metrics.best(),
                        best        ? "  (best so far, saved)"
                        : !complete ? "  (pruning or quantization is not at its end, not saved)"
                                    : ""));
}

void Run::save_state() const {
  save_checkpoint(state_path_, model_->store, model_->contents(), optimizer_.get(), &state_,
                  [&](const Hdf5Group& root) {
                    if (compressors_.empty()) return;
                    const Hdf5Group group = root.create_group("compressors");
                    for (size_t i = 0; i < compressors_.size(); ++i)
                      compressors_[i]->save(group.create_group(std::to_string(i)));
                  });
}

// The finished checkpoint again, smaller; the state of the run keeps the shapes that it trained.
void Run::shrink_output() const {
  const auto small = shrink(*open_model(output_.string()));
  save_checkpoint(output_, small->store, small->contents());
  say(format("shrunk: %.1f M parameters are left of %.1f M", static_cast<double>(small->store.count()) * 1e-6,
             static_cast<double>(model_->store.count()) * 1e-6));
}

void Run::print_result() const {
  const double seconds = std::max(training_seconds_, 1e-9);  // resumed at its end, a run has trained nothing
  const double speed = static_cast<double>(sentences_) / seconds,
               steps = static_cast<double>(state_.step - first_step_) / seconds;
  const double best_loss = state_.extra.value("best_loss", 0.0);
  if (common_.json) {
    print_json({{"output", output_.string()},
                {"eval_loss", best_loss},
                {"eval_" + model_->bert->head().metric(), state_.best_accuracy},
                {"best_step", state_.best_step},
                {"steps", state_.step},
                {"train_runtime", training_seconds_},
                {"runtime", watch_.seconds()},
                {"train_samples_per_second", speed},
                {"train_steps_per_second", steps},
                {"peak_memory", peak_memory()}});
    return;
  }
  std::printf(
      "\n  dev loss        %.4f\n  dev %-11s %.4f   (step %ld of %ld)\n  run time        %.1f s   (training %.1f "
      "s)\n  samples/s       %.1f\n  steps/s         %.2f\n  peak memory     %s\n  checkpoint      %s\n",
      best_loss, model_->bert->head().metric().c_str(), state_.best_accuracy, state_.best_step, state_.step,
      watch_.seconds(), training_seconds_, speed, steps, in_gigabytes(peak_memory()).c_str(), output_.c_str());
}

}  // namespace

int train(TrainOptions options, const CommonOptions& common) {
  options.complete();
  options.check();
  catch_stop_signals();
  return Run(options, common).run();
}

}  // namespace espalier
