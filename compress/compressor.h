// SPDX-License-Identifier: Apache-2.0
// Compressor: what rides along in a training loop to make a model smaller. Pruning, quantization-aware training and
// whatever comes next are entries of one list; the loop calls every hook of every entry in the list's order.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "compress/observed.h"
#include "core/hdf5/file.h"
#include "data/text/loader.h"
#include "nn/bert.h"

namespace espalier {

// One batch of a step as a term of the loss meets it. Losses are means over the step's whole window, so that
// accumulation equals the large batch.
struct StepOutput {
  const PackedBatch& batch;
  const Window& window;
  const Var& logits;          // [B, C]
  const Activations& inside;  // empty unless some compressor looks inside
};

class Compressor {
 public:
  virtual ~Compressor() = default;

  // Once, before the first step and before load(): finds its parameters and adds its WeightTransforms to them. Model
  // and store outlive the compressor.
  virtual void attach(Bert& model, ParameterStore& store) = 0;

  // `step` counts the optimizer's updates from 0. Schedules move here: at the same step, the same happens, resumed or
  // not.
  virtual void before_forward(int64_t /*step*/) {}
  // The loss of one batch, from that of the task and of the compressors before; `terms` has the parts of the last
  // window's loss, by name, for the log. looks_inside: StepOutput::inside is needed.
  virtual Var loss(const Var& task, const StepOutput& /*output*/, const Context& /*context*/) { return task; }
  virtual std::map<std::string, double> terms() const { return {}; }
  virtual bool looks_inside() const { return false; }

  // For what forward passes change (ranges, sums, terms). A step is computed in lanes (see take_step), perhaps by other
  // processes: each sees the state before the step and what it showed itself. take_observed(), at the end of each lane,
  // gives what its passes showed and brings that state back. absorb() is given those of all lanes, in order, the same
  // in every process. One lane, taken and absorbed, leaves the state as if nobody had asked.
  virtual Observed take_observed() { return {}; }
  virtual void absorb(std::span<const Observed> /*lanes*/) {}

  // Stores of its own whose gradients come from the tape: summed over the lanes before after_backward, in all
  // processes.
  virtual std::vector<ParameterStore*> learned() { return {}; }

  virtual void after_backward(int64_t /*step*/) {}  // gradients of the whole window are in the store, not yet clipped
  // Whether after_backward reads or changes those of the model; else each process needs only its share of them.
  virtual bool reads_gradients() const { return true; }
  virtual void after_step(int64_t /*step*/) {}  // the optimizer has updated the stored values

  // Whether the model is, after so many steps, as small as it is meant to become: a run's best checkpoint is one of
  // those.
  virtual bool complete(int64_t /*step*/) const { return true; }

  // Around an evaluation: the model computes as the saved checkpoint will.
  virtual void before_evaluation() {}
  virtual void after_evaluation() {}

  // Everything beside the stored values that a resumed run needs for the same bits.
  virtual void save(const Hdf5Group& /*group*/) const {}
  virtual void load(const Hdf5Group& /*group*/) {}

  // What it learns from beside the model and the data, such as a teacher: a fingerprint of each by its name. A run is
  // resumed with the same.
  virtual std::map<std::string, std::string> inputs() const { return {}; }

  virtual std::string describe() const = 0;  // one line for the log
};

}  // namespace espalier
