// SPDX-License-Identifier: Apache-2.0
#include "apps/shared/calibration.h"

#include <algorithm>

#include "apps/shared/datasets.h"
#include "apps/shared/progress.h"

namespace espalier {

void calibrate(Compressor& compressor, Model& model, const CalibrationOptions& options, const CommonOptions& common) {
  CHECK(options.steps >= 1, "--calibration-steps ", options.steps, ": at least 1 is expected");
  CHECK(options.batch_size >= 1, "--batch-size ", options.batch_size, ": at least 1 is expected");
  check_max_length(options.max_length, model.config.max_position_embeddings);
  const DataFolder folder = find_data(options.data);
  const TokenizedDataset data =
      load_tsv(folder.path / "train.tsv", model.tokenizer, model.config.labels, options.max_length);
  const Loader loader(data, {.batch_size = options.batch_size, .seed = common.seed});
  const Epoch epoch = loader.epoch(0);
  model.store.make_gradients();
  Progress progress(options.steps, !common.quiet, true);
  for (int64_t step = 0; step < options.steps; ++step) {
    const PackedBatch batch = epoch.batch(step % loader.batches());
    compressor.before_forward(step);
    Tape tape;
    Context context{.tape = &tape, .seed = common.seed, .step = static_cast<uint64_t>(step)};
    tape.backward(
        ops::cross_entropy((*model.bert)(batch, context), batch.labels, static_cast<double>(batch.sentences())));
    compressor.after_backward(step);
    compressor.after_step(step);
    model.store.clear_gradients();
    progress.update(step + 1, "calibration");
  }
  compressor.before_forward(options.steps);
}

}  // namespace espalier
