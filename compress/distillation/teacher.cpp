// SPDX-License-Identifier: Apache-2.0
#include "compress/distillation/teacher.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/check.h"
#include "core/dealt.h"
#include "core/fingerprint.h"
#include "core/format.h"
#include "data/files/atomic_file.h"

namespace espalier {
namespace {

std::string fingerprint_of(const Model& model) {
  Fingerprint f;
  f.add(std::string_view(name_of(model.bert->compute())));
  for (const Parameter* p : model.store.all()) {
    f.add(p->name + (p->integers() != nullptr ? " int8" : ""));
    f.add(p->value.raw(), p->value.bytes());
  }
  return f.text();
}

bool generic(const std::vector<std::string>& labels) {
  for (size_t i = 0; i < labels.size(); ++i)
    if (labels[i] != "LABEL_" + std::to_string(i)) return false;
  return true;
}

}  // namespace

Teacher::Teacher(const std::vector<std::string>& sources, DType compute, Answers answers) {
  CHECK(!sources.empty(), "teacher: no model is named");
  for (const std::string& source : sources) {
    models_.push_back(open_model(source, {.may_start_head = answers == Answers::unused}));
    models_.back()->bert->set_compute(compute, Use::inference);
    fingerprints_.push_back(fingerprint_of(*models_.back()));
  }
}

std::string Teacher::fingerprint() const {
  Fingerprint f;
  for (const std::string& one : fingerprints_) f.add(one);
  return f.text();
}

void Teacher::check_tokens(const Model& student, int max_length) const {
  const auto& ours = student.tokenizer;
  for (const auto& model : models_) {
    const auto& theirs = model->tokenizer;
    CHECK(theirs.size() == ours.size(), "teacher ", model->source, ": its vocabulary has ", theirs.size(),
          " tokens, the student's ", ours.size(), "; both must read the same tokens");
    for (int32_t id = 0; id < ours.size(); ++id)
      CHECK(theirs.token(id) == ours.token(id), "teacher ", model->source, ": token ", id, " of its vocabulary is '",
            theirs.token(id), "', of the student's '", ours.token(id), "'; both must read the same tokens");
    CHECK(theirs.options() == ours.options(), "teacher ", model->source,
          ": its tokenizer treats text in another way than the student's (case, accents, Chinese characters or added "
          "tokens); both must read the same tokens");
    CHECK(max_length <= model->config.longest(), "teacher ", model->source, ": takes ", model->config.longest(),
          " tokens a sentence; --max-length is ", max_length);
  }
}

void Teacher::check(const Model& student, int max_length) const {
  check_tokens(student, max_length);
  for (const auto& model : models_) {
    CHECK(model->config.head == student.config.head, "teacher ", model->source, ": its head is for ",
          model->config.head, ", the student's for ", student.config.head, "; expected the same task");
    const auto &labels = model->bert->head().labels(), &wanted = student.bert->head().labels();
    CHECK(labels.size() == wanted.size() && (labels == wanted || generic(labels)), "teacher ", model->source,
          ": its labels are ", listed(labels), ", the student's ", listed(wanted),
          "; expected the same in the same order: name the student's with --labels, or choose another teacher");
  }
}

Tensor Teacher::logits(const TokenizedDataset& data, const std::function<void(int64_t, int64_t)>& progress) const {
  const Loader loader(data, {.batch_size = 32, .order = Order::longest_first});
  const Epoch epoch = loader.epoch(0);
  const int64_t classes = head().width();
  Dealt<float> answers;
  for (int64_t i = 0; i < loader.batches(); ++i) {
    if (!is_own(i)) continue;
    const PackedBatch batch = epoch.batch(i);
    Tensor mean = Tensor::zeros({batch.sentences(), classes});
    for (const auto& model : models_) {
      Context context;
      const Tensor logits = (*model->bert)(batch, context).value;
      for (int64_t k = 0; k < mean.size(); ++k)
        mean.data<float>()[k] += logits.data<float>()[k] / static_cast<float>(models());
    }
    answers.add(mean.span<float>());
    if (progress) progress(std::min(i + ranks(), loader.batches()), loader.batches());
  }
  Tensor all({data.sentences(), classes});
  auto row = epoch.order().begin();
  for (const std::vector<float>& batch : answers.gather())
    for (auto at = batch.begin(); at != batch.end(); at += classes)
      std::copy_n(at, classes, all.data<float>() + *row++ * classes);
  return all;
}

Tensor Teacher::answer(const PackedBatch& batch, Activations* inside) const {
  Context context;
  return (*models_.front()->bert)(batch, context, inside).value;
}

Activations Teacher::inside(const PackedBatch& batch) const {
  Activations activations;
  answer(batch, &activations);
  return activations;
}

std::string fingerprint(const TokenizedDataset& data) {
  Fingerprint f;
  f.add(data.ids.span());
  f.add(data.first_lengths.span());
  f.add(data.offsets.span());
  return f.text();
}

CacheKey::CacheKey(const Teacher& of, const TokenizedDataset& dataset)
    : teacher(of.fingerprint()), data(fingerprint(dataset)) {}

void CacheKey::write(const Hdf5File& file) const {
  file.root().write_text("teacher", teacher);
  file.root().write_text("data", data);
}

void CacheKey::check(const Hdf5File& file, const std::filesystem::path& path) const {
  const std::string remedy = "; remove it, or name another file";
  CHECK(file.root().read_text("teacher") == teacher, path.string(),
        ": holds the answers of another teacher, or was made by an earlier version", remedy);
  CHECK(file.root().read_text("data") == data, path.string(),
        ": holds the answers to other sentences (another file, vocabulary or --max-length)", remedy);
}

namespace {

void read_logits(const std::filesystem::path& cache, const CacheKey& key, const Tensor& logits) {
  const Hdf5File file = Hdf5File::open(cache);
  key.check(file, cache);
  file.root().read_into("logits", logits);
  for (const float v : logits.span<float>())
    CHECK(std::isfinite(v), cache.string(),
          ": the logits hold a NaN or an infinity; remove the file, and see whether the teacher has diverged");
}

}  // namespace

Tensor cached_logits(const Teacher& teacher, const TokenizedDataset& data, const std::filesystem::path& cache,
                     const std::function<void(int64_t, int64_t)>& progress) {
  const CacheKey key(teacher, data);
  if (of_first_rank(std::filesystem::exists(cache))) {
    Tensor logits({data.sentences(), teacher.head().width()});
    if (is_first_rank()) read_logits(cache, key, logits);
    const std::string all =
        gather_all(is_first_rank() ? std::string_view(reinterpret_cast<const char*>(logits.raw()), logits.bytes()) : "")
            .front();
    std::memcpy(logits.raw(), all.data(), logits.bytes());
    return logits;
  }
  Tensor logits = teacher.logits(data, progress);
  if (!is_first_rank()) return logits;
  AtomicFile target(cache);
  Hdf5File file = Hdf5File::create(target.temporary(), cache.string());
  key.write(file);
  file.root().write("logits", logits);
  file.close();
  target.commit();
  return logits;
}

}  // namespace espalier
