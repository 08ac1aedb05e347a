// SPDX-License-Identifier: Apache-2.0
#include "compress/distillation/teacher_states.h"

#include "core/check.h"
#include "data/files/atomic_file.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

std::string hidden_name(int64_t i) { return "hidden " + std::to_string(i); }
std::string qkv_name(int64_t i) { return "qkv " + std::to_string(i); }

// f(name, value) for each part of what lies inside.
template <class F>
void each(const StateParts& parts, const Activations& inside, const F& f) {
  for (const int64_t i : parts.hidden) f(hidden_name(i), inside.hidden.at(static_cast<size_t>(i)).value);
  for (const int64_t i : parts.qkv) f(qkv_name(i), inside.qkv.at(static_cast<size_t>(i)).value);
}

// Rows of sentence b of the batch in x[tokens, width]; a view.
Tensor rows_of(const Tensor& x, const PackedBatch& batch, int64_t b) {
  const int64_t first = batch.offsets[static_cast<size_t>(b)], end = batch.offsets[static_cast<size_t>(b) + 1];
  return x.view(first * x.cols(), {end - first, x.cols()});
}

}  // namespace

TeacherStates::TeacherStates(const Teacher& teacher, const TokenizedDataset& data, const StateParts& parts,
                             const fs::path& cache, const std::function<void(int64_t, int64_t)>& progress)
    : parts_(parts),
      offsets_(data.offsets.begin(), data.offsets.end()),
      file_(open_or_make(teacher, data, parts, cache, progress)) {
  const auto check = [&](const std::string& name) {
    CHECK(file_.root().contains(name), cache.string(), ": lacks '", name,
          "', since it was made for other losses or layers; remove it");
  };
  for (const int64_t i : parts.hidden) check(hidden_name(i));
  for (const int64_t i : parts.qkv) check(qkv_name(i));
}

Hdf5File TeacherStates::open_or_make(const Teacher& teacher, const TokenizedDataset& data, const StateParts& parts,
                                     const fs::path& cache, const std::function<void(int64_t, int64_t)>& progress) {
  const CacheKey key(teacher, data);
  if (fs::exists(cache)) {
    Hdf5File file = Hdf5File::open(cache);
    key.check(file, cache);
    return file;
  }
  const Loader loader(data, {.batch_size = 32, .order = Order::longest_first});
  const Epoch epoch = loader.epoch(0);
  AtomicFile target(cache);
  Hdf5File file = Hdf5File::create(target.temporary(), cache.string());
  key.write(file);
  for (int64_t i = 0; i < loader.batches(); ++i) {
    const PackedBatch batch = epoch.batch(i);
    const Activations inside = teacher.inside(batch);
    if (i == 0) {
      uint64_t bytes = 0;
      each(parts, inside, [&](const std::string& name, const Tensor& x) {
        file.root().create(name, x.dtype(), {data.tokens(), x.cols()});
        bytes += x.bytes() / static_cast<uint64_t>(x.rows()) * static_cast<uint64_t>(data.tokens());
      });
      const uint64_t room = fs::space(target.temporary()).available;
      CHECK(bytes < room, cache.string(), ": the teacher's states of ", data.tokens(), " tokens take ", bytes >> 20,
            " MB, the disk has ", room >> 20, "; compare fewer layers, or do not keep them");
    }
    each(parts, inside, [&](const std::string& name, const Tensor& x) {
      for (int64_t b = 0; b < batch.sentences(); ++b)
        file.root().write_rows(name, data.offsets[static_cast<size_t>(batch.rows[static_cast<size_t>(b)])],
                               rows_of(x, batch, b));
    });
    if (progress) progress(i + 1, loader.batches());
  }
  file.close();
  target.commit();
  return Hdf5File::open(cache);
}

Tensor TeacherStates::read(const std::string& name, const PackedBatch& batch) const {
  const auto [type, shape] = file_.root().info(name);
  Tensor all({batch.offsets.back(), shape[1]}, type);
  for (int64_t b = 0; b < batch.sentences(); ++b)
    file_.root().read_rows(name, offsets_[static_cast<size_t>(batch.rows[static_cast<size_t>(b)])],
                           rows_of(all, batch, b));
  return all;
}

Activations TeacherStates::inside(const PackedBatch& batch) const {
  Activations inside;
  if (!parts_.hidden.empty()) inside.hidden.resize(static_cast<size_t>(*parts_.hidden.rbegin()) + 1);
  if (!parts_.qkv.empty()) inside.qkv.resize(static_cast<size_t>(*parts_.qkv.rbegin()) + 1);
  for (const int64_t i : parts_.hidden) inside.hidden[static_cast<size_t>(i)] = {read(hidden_name(i), batch)};
  for (const int64_t i : parts_.qkv) inside.qkv[static_cast<size_t>(i)] = {read(qkv_name(i), batch)};
  return inside;
}

}  // namespace espalier
