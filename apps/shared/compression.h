// SPDX-License-Identifier: Apache-2.0
// From the options --prune.*, --qat.* and --distill.* to what rides along in a training loop.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "apps/shared/training.h"
#include "compress/compressor.h"

namespace espalier {

using Say = std::function<void(const std::string&)>;

// The model that training starts from, opened and cut to the student's layers.
std::unique_ptr<Model> open_student(const TrainOptions& options, uint64_t seed);

// Adds what is learned from the teacher alone behind the training data: other text, and augmented copies.
void add_unlabelled(const TrainOptions& options, const Model& model, uint64_t seed, TokenizedDataset& train,
                    const Say& say);

// Pruner, quantizer, distiller, in this order, as far as they are asked for; attached. What was pruned before is held.
// Throws for schedules that cannot work: beyond the run's last step, or ranges that are fixed while weights still go.
std::vector<std::unique_ptr<Compressor>> make_compressors(const TrainOptions& options, const CommonOptions& common,
                                                          Model& model, const TokenizedDataset& train, int64_t steps,
                                                          const Say& say);

}  // namespace espalier
