// SPDX-License-Identifier: Apache-2.0
// Every kind of binary file that we write, with one byte changed or the end cut off: reading it must be an Error. 100
// flips and cuts for each kind; ESPALIER_FLIPS=2000 makes it so many.
#include <cstdlib>
#include <functional>
#include <iostream>
#include <random>

#include "compress/distillation/teacher_states.h"
#include "compress/pruning/pruner.h"
#include "compress/quantization/quantizer.h"
#include "core/checksum.h"
#include "data/models/hf_export.h"
#include "tests/temporary.h"

// HDF5 1.10 forgets to free a header that it cannot read.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming): the leak sanitizer asks for this name
extern "C" const char* __lsan_default_suppressions() { return "leak:libhdf5"; }

namespace espalier {
namespace {

namespace fs = std::filesystem;

const fs::path small_model = fs::path(ESPALIER_TESTS_DIR) / "golden" / "hf_model";

int64_t flips() {
  const char* const wanted = std::getenv("ESPALIER_FLIPS");
  return wanted != nullptr ? std::atoll(wanted) : 100;
}

std::string digest(const Tensor& t) { return hex(checksum(std::as_bytes(std::span(t.raw(), t.bytes())))); }

// All that a program gets out of a model, as text.
std::string model_text(const fs::path& source) {
  const auto model = open_model(source.string());
  std::string text = digest(model->store.values()) + model->options.text();
  for (const std::string& token : model->tokenizer.vocabulary()) text += token + '\n';
  for (Parameter* p : model->store.all())
    if (const auto integers = p->integers())
      text += digest(integers->q()) + digest(integers->grid().scale) + (integers->input() ? "i" : "");
  for (const auto& [name, bits] : masks_of(model->store)) text += name + digest(bits);
  return text;
}

class Damage : public testing::Test {
 protected:
  // Damages the file again and again; `read` gives all that it says.
  void check(const std::string& kind, const fs::path& file, const std::function<std::string()>& read) const {
    const std::string whole = read_bytes(file), said = read();
    std::mt19937_64 random(checksum(kind));
    int64_t found[2] = {0, 0};
    for (int64_t i = 0; i < 2 * flips(); ++i) {
      const bool cut = i % 2 == 1;
      const size_t at = random() % whole.size();
      std::string bytes = whole;
      if (cut)
        bytes.resize(at);
      else
        bytes[at] = static_cast<char>(bytes[at] ^ static_cast<char>(1 + random() % 255));
      write_bytes(file, bytes);
      std::string now;
      const std::string error = error_of<Error>([&] { now = read(); });
      found[cut ? 1 : 0] += error != "no error" ? 1 : 0;
      EXPECT_NE(error, "no error") << kind << (cut ? " cut at " : " flipped at ") << at
                                   << (now == said ? ": read as before" : ": ANOTHER ANSWER");
      EXPECT_NE(error.find(file.filename().string()), std::string::npos) << error;
      EXPECT_LT(error.size(), 600U) << error;
    }
    write_bytes(file, whole);
    EXPECT_EQ(read(), said);
    std::cout << kind << " (" << whole.size() << " bytes): " << found[0] << " of " << flips() << " flips detected, "
              << found[1] << " of " << flips() << " cuts\n";
  }
  void check_model(const std::string& kind, const Model& model) const {
    const fs::path file = folder_ / "model.h5";
    save_checkpoint(file, model.store, model.contents());
    check(kind, file, [&] { return model_text(file); });
  }
  TemporaryFolder folder_;
  std::unique_ptr<Model> model_ = open_model(small_model.string());
};

TEST_F(Damage, OfADenseCheckpoint) { check_model("dense", *model_); }

TEST_F(Damage, OfASparseCheckpoint) {
  Pruner pruner({.amount = 0.8});
  pruner.attach(*model_->bert, model_->store);
  pruner.before_forward(0);
  check_model("sparse", *model_);
}

TEST_F(Damage, OfIntegers) {
  for (const int bits : {8, 4}) {
    const auto model = open_model(small_model.string());
    Quantizer quantizer({.mode = InputRanges::dynamic, .bits = bits, .embedding_bits = bits});
    quantizer.attach(*model->bert, model->store);
    quantizer.before_forward(0);
    check_model("int" + std::to_string(bits), *model);
  }
}

TEST_F(Damage, OfTheStateOfARun) {
  const PruneOptions options{
      .method = "taylor",
      .amount = 0.5,
      .schedule = {.kind = PruneSchedule::Kind::linear, .initial = 0, .begin = 5, .end = 10, .interval = 1}};
  Pruner pruner(options);
  pruner.attach(*model_->bert, model_->store);
  pruner.before_forward(0);
  const fs::path file = folder_ / "model.state.h5";
  const Optimizer optimizer(model_->store, {});
  const TrainingState state{.step = 3};
  save_checkpoint(file, model_->store, model_->contents(), &optimizer, &state,
                  [&](const Hdf5Group& root) { pruner.save(root.create_group("prune")); });
  check("state", file, [&] {
    const Checkpoint opened(file);
    const auto model = open_model(small_model.string());
    Optimizer to(model->store, {});
    Pruner again(options);
    again.attach(*model->bert, model->store);
    std::string text = std::to_string(opened.load_weights(model->store).loaded);
    opened.load_optimizer(to, model->store);
    again.load(opened.root().group("prune"));
    for (const auto& [name, bits] : opened.masks(model->store)) text += name + digest(bits);
    return text + std::to_string(opened.state().step) + digest(model->store.values()) + digest(to.first_moments()) +
           digest(to.second_moments());
  });
}

TEST_F(Damage, OfWhatATeacherSaid) {
  const Teacher teacher({small_model.string()}, DType::f32);
  TokenizedDataset data;
  for (int32_t i = 0; i < 8; ++i) {
    data.ids.append(std::vector<int32_t>{2, 5 + i, 7, 3});
    data.first_lengths.push_back(4);
    data.offsets.push_back(data.tokens());
    data.labels.push_back(i % 2);
  }
  const Window all = Loader(data, {.batch_size = 8, .order = Order::file}).epoch(0).window(0);
  const fs::path logits = folder_ / "logits.h5", states = folder_ / "states.h5";
  cached_logits(teacher, data, logits);
  check("teacher's logits", logits, [&] { return digest(cached_logits(teacher, data, logits)); });
  const auto read = [&] {
    const TeacherStates kept(teacher, data, {.hidden = {0, 1}, .qkv = {}}, states);
    std::string text;
    for (const Var& v : kept.inside(all.batches[0]).hidden)
      if (v.value) text += digest(v.value);
    return text;
  };
  read();
  check("teacher's states", states, read);
}

TEST_F(Damage, OfAnExportedModel) {
  export_hf(*model_, folder_ / "hf");
  const auto read = [&] { return model_text(folder_ / "hf"); };
  check("safetensors", folder_ / "hf" / "model.safetensors", read);
  check("vocab.txt", folder_ / "hf" / "vocab.txt", read);
}

TEST_F(Damage, IsNotAskedForInFilesOfBeforeThereWereChecksums) {
  const auto model = open_model((fs::path(ESPALIER_TESTS_DIR) / "golden" / "checkpoint_without_checksums.h5").string());
  EXPECT_EQ(model->tokenizer.vocabulary().size(), 10U);
}

}  // namespace
}  // namespace espalier
