// SPDX-License-Identifier: Apache-2.0
// What a run needs before its first step.
#include <set>

#include "apps/training/datasets.h"
#include "apps/training/run.h"
#include "apps/training/signals.h"
#include "core/kernels/isa.h"
#include "core/parallel.h"
#include "data/text/class_names.h"
#include "data/text/read_text.h"
#include "nn/mask.h"

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
  check_options();
  read_data();
  make_schedule();
  make_compressors();
  resume();
  model_->bert->set_compute(compute);
  model_->bert->set_gradient_checkpointing(options_.gradient_checkpointing);
  if (!options_.log_dir.empty() && !was_over_)
    log_ = RunLog(options_.log_dir, state_.step, evaluated_step(), options_.overwrite);
  listener_.progress = listener.progress;  // from now on a signal ends the loop between two steps
}

void Run::open_model() {
  OpenOptions how{.seed = options_.seed,
                  .vocabulary = options_.vocab,
                  .may_start_head = true,
                  .new_task = [this](const BertConfig& config) { return new_task(config); },
                  .listener = listener_};
  if (!options_.labels.empty()) how.labels = options_.labels;
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
  for (const Algorithm& algorithm : algorithms_)
    if (algorithm.task && algorithm.on())
      if (auto task = algorithm.task()) return *task;
  const std::filesystem::path data = find_data(options_.data).path;
  if (config.head == BertConfig{}.head) {
    const ClassNames classes = find_class_names(data);
    return {config.head, classes.names, classes.from};
  }
  return {config.head, config.labels, "from the model's config.json"};
}

void Run::read_data() {
  const DataFolder folder = find_data(options_.data);
  options_.data = folder.path.string();
  const auto read = [&](const char* file) {
    return read_text(folder.path / file, model_->tokenizer, model_->bert->head(), options_.max_length.tokens());
  };
  inputs_.add("the model", described(*model_));
  train_data_ = read("train.tsv");
  inputs_.add("train.tsv", described(train_data_));
  dev_data_ = read("dev.tsv");
  inputs_.add("dev.tsv", described(dev_data_));
  if (const auto classes = std::set<int32_t>(train_data_.labels.begin(), train_data_.labels.end());
      model_->config.head == BertConfig{}.head && std::ssize(classes) < model_->config.classes())
    listener_.say(
        format("%s/train.tsv has %ld of the model's %ld labels; to train a new head for them alone, name them "
               "with --labels",
               options_.data.c_str(), std::ssize(classes), model_->config.classes()));
  for (const Algorithm& algorithm : algorithms_) {
    if (!algorithm.more_data) continue;
    const TokenizedDataset more = algorithm.more_data(setting());
    if (more.sentences() > 0) inputs_.add("more text for " + algorithm.name, described(more));
    append(train_data_, more);
  }
  listener_.say(folder.note +
                format(": %ld training sentences of %.1f tokens, %ld dev sentences", train_data_.sentences(),
                       static_cast<double>(train_data_.tokens()) / static_cast<double>(train_data_.sentences()),
                       dev_data_.sentences()));
}

void Run::make_schedule() {
  loader_ =
      std::make_unique<Loader>(train_data_, LoaderOptions{.batch_size = options_.batch_size,
                                                          .accumulate = options_.accumulate,
                                                          .order = options_.shuffle ? Order::shuffled : Order::file,
                                                          .seed = options_.seed});
  optimizer_ = std::make_unique<AdamW>(model_->store, AdamWOptions{.weight_decay = options_.weight_decay});
  const int64_t all = options_.epochs * loader_->windows(),
                total = options_.max_steps > 0 ? std::min(all, options_.max_steps) : all;
  schedule_ = {.kind = options_.schedule,
               .peak = options_.learning_rate,
               .warmup = static_cast<int64_t>(options_.warmup * static_cast<double>(total)),
               .total = total};
  listener_.say(optimizer_->describe());
  listener_.say(
      format("schedule: %ld steps of %ld sentences, %s to %g after %ld warm-up steps; gradients clipped at "
             "norm %g",
             total, options_.batch_size * options_.accumulate, text_of(options_.schedule).c_str(),
             options_.learning_rate, schedule_.warmup, options_.max_grad_norm));
}

Setting Run::setting() const {
  return {.model = *model_,
          .train = train_data_,
          .steps = loader_ != nullptr ? schedule_.total : 0,
          .seed = options_.seed,
          .max_length = options_.max_length.tokens(),
          .gradient_checkpointing = options_.gradient_checkpointing,
          .output = output_,
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
