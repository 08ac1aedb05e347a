// SPDX-License-Identifier: Apache-2.0
// What a run needs before its first step.
#include <set>

#include "apps/training/datasets.h"
#include "apps/training/run.h"
#include "apps/training/signals.h"
#include "apps/training/split_data.h"
#include "core/kernels/isa.h"
#include "core/parallel.h"
#include "data/text/class_names.h"
#include "nn/heads/heads.h"
#include "nn/mask.h"
#include "optim/parameter_groups.h"

namespace espalier {

Run::Run(TrainOptions& options, const Options& rows, const std::vector<Algorithm>& algorithms, const Listener& listener)
    : options_(options), rows_(rows), algorithms_(algorithms), listener_(listener), output_(options.output) {
  catch_stop_signals();
  listener_.progress = [&listener](int64_t done, int64_t total, const std::string& what) {
    throw_if_stopped();
    listener.progress(done, total, what);
  };
  state_path_ = std::filesystem::path(output_).replace_extension(".state.h5");
  state_.seed = options.seed;
  claim_files();
  open_model();
  const DType compute = choose_precision();
  choose_micro_batches();
  check_options();
  read_data();
  make_optimizer();
  make_compressors();
  if (options_.learning.ema > 0) ema_ = std::make_unique<Ema>(model_->store, options_.learning.ema);
  resume();
  if (options_.learning.micro_batches > 1 || options_.learning.gradient_dtype == GradientType::bf16 || ranks() > 1) {
    std::vector<ParameterStore*> stores = compressors_.learned();
    stores.insert(stores.begin(), &model_->store);
    sum_ = std::make_unique<GradientSum>(
        stores, options_.learning.micro_batches,
        options_.learning.gradient_dtype == GradientType::bf16 ? DType::bf16 : DType::f32);
  }
  model_->bert->set_compute(compute);
  model_->bert->set_gradient_checkpointing(options_.gradient_checkpointing);
  if (!options_.log.folder.empty() && !was_over_ && !options_.dry_run && is_first_rank())
    log_ = RunLog(options_.log, state_.step, evaluated_step(), options_.overwrite);
  listener_.progress = listener.progress;  // from now on a signal ends the loop between two steps
}

// Those of the run that is resumed, unless told otherwise: the number of ranks may be another one now.
void Run::choose_micro_batches() {
  int64_t& chosen = options_.learning.micro_batches;
  if (const Option& row = *options_.learning.micro_batches_row; !row.given) {
    chosen = started_by_mpirun() ? 8 : 1;
    if (saved_) {
      const Record& all = saved_->contents().options;
      chosen = (row.entry.empty() ? all : all.at(row.entry, Record())).integer(row.key, 1);
    }
    row.set({std::to_string(chosen)});  // for the checkpoint: these options may be a copy
  }
  if (started_by_mpirun())
    listener_.say(
        format("ranks: %d; each batch is cut into %ld micro-batches, which the ranks share; one process with "
               "--micro-batches %ld gives the same bits",
               ranks(), chosen, chosen));
}

void Run::open_model() {
  OpenOptions how{.seed = options_.seed,
                  .vocabulary = options_.vocab,
                  .may_start_head = true,
                  .new_task = [this](const BertConfig& config) { return new_task(config); },
                  .listener = listener_};
  if (!options_.labels.empty()) how.labels = options_.labels;
  if (!options_.head.empty()) how.head = options_.head;
  if (options_.corpus.on()) how.head = options_.corpus.task().head;
  model_ = espalier::open_model(options_.model, how);
  options_.labels = model_->config.labels;  // as chosen, so that resume cannot change them
  require_f32(*model_, "training");
  options_.max_length.set(options_.max_length.of(model_->config.longest()));
  for (const Algorithm& algorithm : algorithms_)
    if (algorithm.start) model_ = algorithm.start(std::move(model_));
  if (options_.dropout >= 0) model_->bert->set_dropout(static_cast<float>(options_.dropout));
  listener_.say("model: " + options_.model +
                format(" (%.1f M parameters; ", static_cast<double>(model_->store.count()) * 1e-6) +
                model_->report.text() + ")");
  if (!model_->report.new_head.empty()) listener_.say(model_->report.new_head);
  listener_.say("labels: " + model_->report.labels);
}

// The task of an algorithm's model, such as a teacher; else that of the data.
Task Run::new_task(const BertConfig& config) const {
  if (options_.corpus.on()) return options_.corpus.task();
  for (const Algorithm& algorithm : algorithms_)
    if (algorithm.task && algorithm.on())
      if (auto task = algorithm.task()) return *task;
  if (options_.head.empty() && config.head != BertConfig{}.head)
    return {config.head, config.labels, "from the model's config.json"};
  const std::string head = options_.head.empty() ? config.head : options_.head;
  const ClassNames classes = find_class_names(head_named(head, "--task").labels,
                                              find_data(options_.data, !options_.dry_run).train, options_.table);
  return {head, classes.names, classes.from};
}

void Run::read_data() {
  inputs_.add("the model", described(*model_));
  if (options_.corpus.on())
    read_plain_text();
  else
    read_table();
}

void Run::read_plain_text() {
  corpus_ = read_corpus(options_.corpus, model_->tokenizer, options_.max_length.tokens(), options_.learning.shuffle,
                        options_.seed, listener_);
  inputs_.add("the corpus", corpus_->corpus.described());
  if (!corpus_->dev_described.empty()) inputs_.add("the dev corpus", corpus_->dev_described);
  dev_data_ = std::move(corpus_->dev);
  metric_ = options_.task.chosen_metric(model_->bert->head(), dev_data_);
  feed_ = feed_of(*corpus_->stream, loader_options(), options_.learning.max_steps);
  listener_.say(format(
      "corpus: %ld documents, %.1f MB of text, about %ld steps a pass; %ld dev sequences of %.1f tokens",
      corpus_->corpus.documents(), static_cast<double>(corpus_->corpus.bytes()) * 1e-6, feed_.windows,
      dev_data_.sentences(), static_cast<double>(dev_data_.tokens()) / static_cast<double>(dev_data_.sentences())));
}

void Run::read_table() {
  const DataFiles files = find_data(options_.data, !options_.dry_run);
  RunData data = read_run_data(files, options_, *model_, listener_);
  options_.data = files.where;  // as found, for the checkpoint
  train_data_ = std::move(data.train);
  dev_data_ = std::move(data.dev);
  inputs_.add(data.train_name, described(train_data_));
  inputs_.add(data.dev_name, described(dev_data_));
  if (const auto classes = std::set<int32_t>(train_data_.labels.begin(), train_data_.labels.end());
      model_->config.head == BertConfig{}.head && std::ssize(classes) < model_->config.classes())
    listener_.say(
        format("%s has %ld of the model's %ld labels; to train a new head for them alone, name them with --labels",
               files.train.c_str(), std::ssize(classes), model_->config.classes()));
  options_.task.set_loss(model_->bert->head(), train_data_, listener_);
  metric_ = options_.task.chosen_metric(model_->bert->head(), dev_data_);
  for (const Algorithm& algorithm : algorithms_) {
    if (!algorithm.more_data) continue;
    const TokenizedDataset more = algorithm.more_data(setting());
    if (more.sentences() > 0) inputs_.add("more text for " + algorithm.name, described(more));
    append(train_data_, more);
  }
  listener_.say(data.note);
  loader_ = std::make_unique<Loader>(train_data_, loader_options());
  feed_ = feed_of(*loader_);
}

LoaderOptions Run::loader_options() const {
  const LearningOptions& o = options_.learning;
  return {.batch_size = o.batch_size,
          .accumulate = o.accumulate,
          .micro_batches = o.micro_batches,
          .order = o.shuffle ? Order::shuffled : Order::file,
          .seed = options_.seed};
}

void Run::make_optimizer() {
  const LearningOptions& o = options_.learning;
  const int64_t all = o.epochs * feed_.windows, total = o.max_steps > 0 ? std::min(all, o.max_steps) : all;
  schedule_ = {.kind = o.schedule,
               .peak = o.learning_rate,
               .warmup = static_cast<int64_t>(o.warmup * static_cast<double>(total)),
               .total = total};
  set_layer_decay(model_->store, model_->config.num_hidden_layers, o.layer_decay);
  freeze(model_->store, o.freeze);
  optimizer_ = std::make_unique<Optimizer>(
      model_->store, OptimizerOptions{.rule = o.optimizer, .weight_decay = o.weight_decay, .dealt = true});
  listener_.say(optimizer_->describe());
  if (o.layer_decay < 1 || !o.freeze.empty())
    listener_.say("groups of parameters, with the peak rate:\n" +
                  describe(parameter_groups(model_->store), o.learning_rate, o.weight_decay));
  listener_.say(format(
      "schedule: %ld steps of %ld sentences, %s to %g after %ld warm-up steps; gradients clipped at norm %g", total,
      o.batch_size * o.accumulate, text_of(o.schedule).c_str(), o.learning_rate, schedule_.warmup, o.max_grad_norm));
  if (o.ema > 0) listener_.say(format("the average of the weights, with decay %g, is evaluated and saved", o.ema));
}

Setting Run::setting() const {
  return {.model = *model_,
          .train = train_data_,
          .steps = feed_.windows > 0 ? schedule_.total : 0,
          .seed = options_.seed,
          .max_length = options_.max_length.tokens(),
          .gradient_checkpointing = options_.gradient_checkpointing,
          .output = output_,
          .dry_run = options_.dry_run,
          .before = compressors_,
          .listener = listener_};
}

void Run::make_compressors() {
  if (const auto masks = masks_of(model_->store); !masks.empty())
    listener_.say(format("pruned before: the masks of %ld tensors are held", std::ssize(masks)));
  for (const Algorithm& algorithm : algorithms_)
    if (algorithm.on()) compressors_.add(algorithm.make(setting()));
  if (compressors_.empty()) return;
  compressors_.attach(*model_->bert, model_->store);
  listener_.say(compressors_.describe());
}

DType Run::choose_precision() {
  const ChosenPrecision chosen = choose(options_.precision);
  options_.precision = chosen.precision;  // as chosen, so that resume cannot change it
  listener_.say("machine: " + kernels::cpu_description() +
                format(", %d threads, kernels on %s, ", threads(), kernels::current_isa().c_str()) + chosen.note);
  return chosen.compute;
}

}  // namespace espalier
