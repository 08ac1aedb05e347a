// SPDX-License-Identifier: Apache-2.0
// For tests of distillation: two saved models, a few sentences, one step of a student.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "compress/distillation/distiller.h"
#include "tests/temporary.h"

namespace espalier {

inline TokenizedDataset text() {
  TokenizedDataset data;
  for (const std::vector<int32_t>& s : std::vector<std::vector<int32_t>>{
           {2, 9, 8, 3}, {2, 5, 8, 7, 11, 3}, {2, 30, 31, 3}, {2, 12, 3}, {2, 40, 41, 3}}) {
    data.ids.append(s);
    data.first_lengths.push_back(static_cast<int32_t>(s.size()));
    data.offsets.push_back(data.tokens());
    data.labels.push_back(s[1] % 2);
  }
  return data;
}

// A saved teacher and one of another seed, a dataset, the teacher's logits for it.
class Distilling : public testing::Test {
 protected:
  Distilling() {
    save("random:mini", 4, "teacher.h5");
    save("random:mini", 5, "other.h5");
    teacher_ = std::make_shared<Teacher>(std::vector{path("teacher.h5")}, DType::f32);
    logits_ = teacher_->logits(data_);
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void save(const std::string& size, uint64_t seed, const std::string& name) const {
    const auto model = open_model(size, {.seed = seed, .labels = {{"negative", "positive"}}});
    for (float& v : model->store.values().span<float>()) v *= 3;  // logits that differ
    save_checkpoint(folder_ / name, model->store, model->contents());
  }

  // Loss and gradient of one window that is cut into batches of `size`.
  double step(const Model& model, Distiller& distiller, int64_t size = 8) const {
    const Loader loader(data_, {.batch_size = size, .accumulate = 8, .order = Order::file});
    const Window window = loader.epoch(0).window(0);
    double total = 0;
    distiller.before_forward(0);
    for (const PackedBatch& batch : window.batches) {
      Tape tape;
      Context context{.tape = &tape};
      Activations inside;
      const Var logits = (*model.bert)(batch, context, distiller.looks_inside() ? &inside : nullptr);
      const Var loss = distiller.loss(ops::cross_entropy(logits, batch.labels, static_cast<double>(window.labelled)),
                                      {batch, window, logits, inside}, context);
      tape.backward(loss);
      total += static_cast<double>(*loss.value.data<float>());
    }
    return total;
  }

  TemporaryFolder folder_;
  TokenizedDataset data_ = text();
  std::shared_ptr<const Teacher> teacher_;
  Tensor logits_;
};

}  // namespace espalier
