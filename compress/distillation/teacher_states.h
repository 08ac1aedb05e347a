// SPDX-License-Identifier: Apache-2.0
// TeacherStates: what lies inside a teacher's forward passes over a whole dataset, computed once and kept in a file, so
// that epochs after the first cost the student alone. Used by Distiller.
#pragma once

#include <filesystem>
#include <functional>
#include <set>

#include "compress/distillation/teacher.h"

namespace espalier {

// Entries of Activations::hidden and ::qkv.
struct StateParts {
  std::set<int64_t> hidden, qkv;
};

class TeacherStates {
 public:
  // From the file `cache` if it is there, else computed now and written to it: for each token and part a row of its
  // width, f32 or, between the products of a bf16 teacher, bf16. Throws if the file belongs to another teacher or
  // text or lacks a part, and if the disk has not room for it. The ranks share the batches, rank 0 writes, and all read
  // the file.
  TeacherStates(const Teacher& teacher, const TokenizedDataset& data, const StateParts& parts,
                const std::filesystem::path& cache, const std::function<void(int64_t, int64_t)>& progress = {});

  // As Teacher::inside; parts that were not asked for are empty. One thread at a time.
  Activations inside(const PackedBatch& batch) const;

 private:
  static Hdf5File open_or_make(const Teacher& teacher, const TokenizedDataset& data, const StateParts& parts,
                               const std::filesystem::path& cache,
                               const std::function<void(int64_t, int64_t)>& progress);
  Tensor read(const std::string& name, const PackedBatch& batch) const;

  StateParts parts_;
  std::vector<int64_t> offsets_;  // of the dataset
  Hdf5File file_;
};

}  // namespace espalier
