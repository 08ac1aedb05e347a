// SPDX-License-Identifier: Apache-2.0
// CompressorList: several compressors in one. Each hook calls theirs, in the list's order.
#pragma once

#include <memory>
#include <vector>

#include "compress/compressor.h"

namespace espalier {

class CompressorList : public Compressor {
 public:
  void add(std::unique_ptr<Compressor> compressor) { list_.push_back(std::move(compressor)); }
  bool empty() const { return list_.empty(); }

  void attach(Bert& model, ParameterStore& store) override;
  void before_forward(int64_t step) override;
  Var loss(const Var& task, const StepOutput& output, const Context& context) override;
  std::map<std::string, double> terms() const override;
  bool looks_inside() const override;
  Observed take_observed() override;
  void absorb(std::span<const Observed> lanes) override;
  std::vector<ParameterStore*> learned() override;
  void after_backward(int64_t step) override;
  bool reads_gradients() const override;
  void after_step(int64_t step) override;
  bool complete(int64_t step) const override;
  void before_evaluation() override;
  void after_evaluation() override;
  void save(const Hdf5Group& group) const override;  // a group for each, named by its number from 0
  void load(const Hdf5Group& group) override;
  std::map<std::string, std::string> inputs() const override;
  std::string describe() const override;  // a line for each

 private:
  std::vector<std::unique_ptr<Compressor>> list_;
};

}  // namespace espalier
