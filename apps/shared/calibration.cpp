// SPDX-License-Identifier: Apache-2.0
#include "apps/shared/calibration.h"

#include <algorithm>
#include <cstdio>

#include "apps/shared/datasets.h"
#include "apps/shared/progress.h"
#include "apps/shared/unread.h"

namespace espalier {

void CalibrationFlags::declare(CLI::App& app, const std::string& who, const std::string& option,
                               const std::string& what) {
  const auto add = [&](const std::string& name, auto& value, const std::string& text) {
    declared_.push_back(app.add_option(name, value, who + ": " + text));
    return declared_.back();
  };
  add(option, data, what);
  add("--calibration-steps", steps, "batches of training text to look at")->capture_default_str();
  add("--batch-size", batch_size, "sentences a batch")->capture_default_str();
  add("--max-length", max_length, "tokens of a sentence at most, with [CLS] and [SEP]")->capture_default_str();
}

void CalibrationFlags::check(bool used, bool evaluates) const {
  CHECK(steps >= 1, "--calibration-steps ", steps, ": at least 1 is expected");
  CHECK(batch_size >= 1, "--batch-size ", batch_size, ": at least 1 is expected");
  for (CLI::Option* option : declared_)
    refuse_unread({option}, used || (evaluates && option->check_name("--max-length")),
                  "nothing looks at training text; leave it out, or choose a method that does");
}

nlohmann::json CalibrationFlags::effective() const {
  return {{"data", data}, {"calibration-steps", steps}, {"batch-size", batch_size}, {"max-length", max_length}};
}

void calibrate(Compressor& compressor, Model& model, const CalibrationFlags& flags, const CommonOptions& common,
               bool gradients) {
  check_max_length(flags.max_length, model.config.max_position_embeddings);
  const bool is_file = !flags.data.empty() && !std::filesystem::is_directory(flags.data);
  const DataFolder folder = is_file ? DataFolder{} : find_data(flags.data);
  const std::filesystem::path file = is_file ? std::filesystem::path(flags.data) : folder.path / "train.tsv";
  if (!common.quiet && !is_file) std::fprintf(stderr, "%s\n", folder.note.c_str());
  const TokenizedDataset data = load_tsv(file, model.tokenizer, model.bert->head(), flags.max_length, gradients);
  const Loader loader(data, {.batch_size = flags.batch_size, .seed = common.seed});
  const Epoch epoch = loader.epoch(0);
  if (gradients) model.store.make_gradients();
  Progress progress(flags.steps, !common.quiet, true);
  for (int64_t step = 0; step < flags.steps; ++step) {
    const PackedBatch batch = epoch.batch(step % loader.batches());
    compressor.before_forward(step);
    Tape tape;
    Context context{.tape = &tape, .seed = common.seed, .step = static_cast<uint64_t>(step)};
    const Var logits = (*model.bert)(batch, context);
    if (gradients) {
      tape.backward(model.bert->head().loss(logits, batch, batch.labelled()));
      compressor.after_backward(step);
      compressor.after_step(step);
      model.store.clear_gradients();
    }
    progress.update(step + 1, "calibration");
  }
  compressor.before_forward(flags.steps);
}

}  // namespace espalier
