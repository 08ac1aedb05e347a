// SPDX-License-Identifier: Apache-2.0
// What a stopped run leaves behind, and how it goes on: to the same bits as without the stop.
#include "apps/training/run.h"

namespace espalier {

void Run::resume() {
  if (!options_.resume) return;
  if (!std::filesystem::exists(state_path_)) {
    listener_.say("resume: there is no " + state_path_.string() + " yet, starting from the beginning");
    return;
  }
  const Checkpoint saved(state_path_);
  rows_.expect_same(saved.contents().options, state_path_.string(), {"prune.seed"});
  saved.load_weights(model_->store);
  saved.load_optimizer(*optimizer_, model_->store);
  if (!compressors_.empty()) compressors_.load(saved.root().group("compressors"));
  state_ = saved.state();
  first_step_ = state_.step;
  listener_.say(format("resume: from step %ld of ", state_.step) + state_path_.string());
}

void Run::save_state() const {
  save_checkpoint(state_path_, model_->store, model_->contents(), optimizer_.get(), &state_,
                  [&](const Hdf5Group& root) {
                    if (!compressors_.empty()) compressors_.save(root.create_group("compressors"));
                  });
}

}  // namespace espalier
