// SPDX-License-Identifier: Apache-2.0
#include "compress/distillation/teacher_states.h"

#include <algorithm>

#include "core/check.h"
#include "core/dealt.h"
#include "data/files/atomic_file.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

const LoaderOptions batches_of_teacher = {.batch_size = 32, .order = Order::longest_first};

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

using Part = std::pair<std::string, Tensor>;
std::vector<Part> inside_of(const Teacher& teacher, const PackedBatch& batch, const StateParts& parts) {
  std::vector<Part> all;
  each(parts, teacher.inside(batch), [&](const std::string& name, const Tensor& x) { all.emplace_back(name, x); });
  return all;
}

// Of another rank's batch, whose parts are as those of a batch of this rank.
std::vector<Part> received(int from, const PackedBatch& batch, const std::vector<Part>& like) {
  std::vector<Part> all;
  for (const auto& [name, x] : like) {
    all.emplace_back(name, Tensor({batch.offsets.back(), x.cols()}, x.dtype()));
    const Tensor& to = all.back().second;
    receive(from, Channel::rows, {to.raw(), to.bytes()}).wait();
  }
  return all;
}

void help(const Teacher& teacher, const TokenizedDataset& data, const StateParts& parts,
          const std::function<void(int64_t, int64_t)>& progress) {
  const Loader loader(data, batches_of_teacher);
  const Epoch epoch = loader.epoch(0);
  for (int64_t i = rank(); i < loader.batches(); i += ranks()) {
    for (const auto& [name, x] : inside_of(teacher, epoch.batch(i), parts))
      send(0, Channel::rows, {x.raw(), x.bytes()}).wait();
    if (progress) progress(std::min(i + ranks(), loader.batches()), loader.batches());
  }
}

void create(const Hdf5File& file, const std::vector<Part>& parts, int64_t tokens, const fs::path& cache,
            const fs::path& where) {
  uint64_t bytes = 0;
  for (const auto& [name, x] : parts) {
    file.root().create(name, x.dtype(), {tokens, x.cols()});
    bytes += x.bytes() / static_cast<uint64_t>(x.rows()) * static_cast<uint64_t>(tokens);
  }
  const uint64_t room = fs::space(where).available;
  CHECK(bytes < room, cache.string(), ": the teacher's states of ", tokens, " tokens take ", bytes >> 20,
        " MB, the disk has ", room >> 20, "; compare fewer layers, or do not keep them");
}

void make(const Teacher& teacher, const TokenizedDataset& data, const StateParts& parts, const fs::path& cache,
          const std::function<void(int64_t, int64_t)>& progress) {
  const Loader loader(data, batches_of_teacher);
  const Epoch epoch = loader.epoch(0);
  AtomicFile target(cache);
  Hdf5File file = Hdf5File::create(target.temporary(), cache.string());
  CacheKey(teacher, data).write(file);
  std::vector<Part> own;
  for (int64_t i = 0; i < loader.batches(); ++i) {
    const PackedBatch batch = epoch.batch(i);
    if (is_own(i)) own = inside_of(teacher, batch, parts);
    if (i == 0) create(file, own, data.tokens(), cache, target.temporary());
    for (const auto& [name, x] : is_own(i) ? own : received(static_cast<int>(i % ranks()), batch, own))
      for (int64_t b = 0; b < batch.sentences(); ++b)
        file.root().write_rows(name, data.offsets[static_cast<size_t>(batch.rows[static_cast<size_t>(b)])],
                               rows_of(x, batch, b));
    if (progress) progress(i + 1, loader.batches());
  }
  file.close();
  target.commit();
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
  if (!of_first_rank(fs::exists(cache))) {
    if (is_first_rank())
      make(teacher, data, parts, cache, progress);
    else
      help(teacher, data, parts, progress);
    of_first_rank(true);  // the file is there
  }
  CHECK(is_first_rank() || fs::exists(cache), cache.string(), ": rank 0 has it, rank ", rank(),
        " does not see it; name a file in a folder that all machines share, or do not keep the teacher's states");
  Hdf5File file = Hdf5File::open(cache);
  key.check(file, cache);
  return file;
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
