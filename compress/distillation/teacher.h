// SPDX-License-Identifier: Apache-2.0
// Teacher: the model, or several, that a student learns from. Records nothing on any tape. Its logits for a whole
// dataset are computed once and kept in a file. Used by Distiller and the training programs.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/models/model_source.h"
#include "data/text/loader.h"

namespace espalier {

class Teacher {
 public:
  // Opens the models (see open_model); at least one. Encoder products are in `compute`, f32 or bf16; int8 models stay
  // int8.
  // The model's head: it answers, so that it must be trained; or nobody asks it.
  enum class Answers { needed, unused };
  Teacher(const std::vector<std::string>& sources, DType compute, Answers answers = Answers::needed);

  // Throws, with what differs, unless every model has the student's vocabulary, its head and its labels (LABEL_0,
  // LABEL_1, … of a Hugging Face directory fit any labels) and takes sentences of max_length tokens.
  void check(const Model& student, int max_length) const;
  void check_tokens(const Model& student, int max_length) const;  // vocabulary and length alone

  // [N, C] f32: the mean of the models' logits for each sentence, in the dataset's order. Batches are cut by the
  // dataset alone, so that the same bits come again. All ranks call it, share the batches and get all answers.
  Tensor logits(const TokenizedDataset& data, const std::function<void(int64_t, int64_t)>& progress = {}) const;

  // The first model's logits for a batch, and what lies inside where that is asked for.
  Tensor answer(const PackedBatch& batch, Activations* inside) const;
  // What lies inside the first model's forward pass.
  Activations inside(const PackedBatch& batch) const;

  const BertConfig& config() const { return models_.front()->config; }  // of the first model
  const Head& head() const { return models_.front()->bert->head(); }
  int64_t models() const { return std::ssize(models_); }
  // 16 hexadecimal digits that weights and precision decide: of each model, and of all.
  const std::vector<std::string>& fingerprints() const { return fingerprints_; }
  std::string fingerprint() const;

 private:
  std::vector<std::unique_ptr<Model>> models_;
  std::vector<std::string> fingerprints_;
};

// Of the tokens and where sentences begin: 16 hexadecimal digits.
std::string fingerprint(const TokenizedDataset& data);

// What tells a cache of one teacher's work on one dataset from another's; check throws unless they are those of `file`.
struct CacheKey {
  CacheKey(const Teacher& teacher, const TokenizedDataset& dataset);
  void write(const Hdf5File& file) const;
  void check(const Hdf5File& file, const std::filesystem::path& path) const;

  std::string teacher, data;
};

// teacher.logits(data), from the file `cache` if it is there, else written to it. Throws if the file belongs to another
// teacher or to other text. Only rank 0 looks at the file.
Tensor cached_logits(const Teacher& teacher, const TokenizedDataset& data, const std::filesystem::path& cache,
                     const std::function<void(int64_t, int64_t)>& progress = {});

}  // namespace espalier
