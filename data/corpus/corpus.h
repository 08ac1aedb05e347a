// SPDX-License-Identifier: Apache-2.0
// Corpus: the files that a model is pre-trained on. They may be larger than memory: they are read as streams, one pass
// after the other. Used by data/corpus/corpus_stream.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/corpus/documents.h"

namespace espalier {

class Corpus {
 public:
  // Reads the files through once. Throws Error for what DocumentReader refuses and where there is no text at all.
  // `progress` is told the bytes so far and in all.
  Corpus(std::vector<std::filesystem::path> files, const TableOptions& table, int64_t longest_document,
         const std::function<void(int64_t, int64_t)>& progress = {});

  const std::vector<std::filesystem::path>& files() const { return files_; }
  int64_t documents() const { return first_.back(); }
  int64_t documents_of(size_t file) const { return first_[file + 1] - first_[file]; }
  int64_t first_of(size_t file) const { return first_[file]; }      // the number of its first document
  int64_t bytes() const { return bytes_; }                          // of text
  bool has_neighbours() const { return longest_ > 1; }              // some document has lines that follow each other
  const std::vector<std::string>& notes() const { return notes_; }  // which columns of tables are read
  std::string described() const;  // "12 documents of 3456 bytes (0123456789abcdef)": the text decides
  std::unique_ptr<DocumentReader> open(size_t file) const {
    return std::make_unique<DocumentReader>(files_[file], table_, longest_document_);
  }

 private:
  void survey(const std::function<void(int64_t)>& read);

  std::vector<std::filesystem::path> files_;
  TableOptions table_;
  int64_t longest_document_;          // bytes
  std::vector<int64_t> first_ = {0};  // [files + 1]
  int64_t bytes_ = 0, longest_ = 0;   // longest: lines
  uint64_t fingerprint_ = 0;
  std::vector<std::string> notes_;
};

// Which documents are held out of training, to evaluate on: of every 1 / share that follow each other one, at random by
// the seed; at least one of all.
class HeldOut {
 public:
  HeldOut() = default;  // none
  // Throws Error, naming --validation-split, where nothing would be left on one side.
  HeldOut(double share, uint64_t seed, int64_t documents);

  bool takes(int64_t document) const;

 private:
  double every_ = 0;  // documents; 0: none is held out
  uint64_t seed_ = 0;
};

// One pass over the documents: the files in the order of `order`, beginning with document `from` of that order.
class PassReader {
 public:
  PassReader(const Corpus& corpus, std::vector<size_t> order, int64_t from);

  // False at the end. `number` is the document's in the corpus. Throws Error where a file is not as it was.
  bool next(Document& document, int64_t& number);
  int64_t place() const { return place_; }  // in the order, of the next document

 private:
  const Corpus& corpus_;
  std::vector<size_t> order_;
  size_t at_ = 0;  // in the order
  int64_t in_file_ = 0, place_ = 0;
  std::unique_ptr<DocumentReader> reader_;
};

}  // namespace espalier
