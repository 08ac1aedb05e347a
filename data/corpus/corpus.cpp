// SPDX-License-Identifier: Apache-2.0
#include "data/corpus/corpus.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "core/check.h"
#include "core/fingerprint.h"
#include "core/format.h"
#include "core/input_file.h"
#include "data/corpus/streams.h"

namespace espalier {

Corpus::Corpus(std::vector<std::filesystem::path> files, const TableOptions& table, int64_t longest_document,
               const std::function<void(int64_t, int64_t)>& progress)
    : files_(std::move(files)), table_(table), longest_document_(longest_document) {
  CHECK(!files_.empty(), "corpus: no file is named; expected text, a sentence or paragraph a line");
  int64_t all = 0, before = 0;
  for (const auto& file : files_) all += InputFile(file).size();
  survey([&](int64_t read) {
    if (progress) progress(std::min(before += read, all), all);
  });
  CHECK(documents() > 0, files_.front().string(),
        files_.size() > 1 ? " and the other files of the corpus hold" : ": holds",
        " no text; expected a sentence or paragraph a line, and an empty line between documents");
}

void Corpus::survey(const std::function<void(int64_t)>& read) {
  constexpr int64_t told_every = int64_t{16} << 20;
  Fingerprint all;
  for (size_t f = 0; f < files_.size(); ++f) {
    const auto reader = open(f);
    int64_t count = 0, untold = 0;
    for (Document document; reader->next(document); ++count) {
      for (const std::string& line : document.lines) all.add(line);
      all.add(static_cast<uint64_t>(document.lines.size()));
      longest_ = std::max(longest_, std::ssize(document.lines));
      const int64_t bytes = document.bytes();
      bytes_ += bytes;
      untold += bytes;
      if (untold < told_every) continue;
      read(untold);
      untold = 0;
    }
    first_.push_back(first_.back() + count);
    if (const std::string note = reader->note(); !note.empty()) notes_.push_back(files_[f].string() + ": " + note);
  }
  fingerprint_ = all.value();
}

std::string Corpus::described() const {
  return format("%ld documents of %ld bytes (", documents(), bytes_) + hex(fingerprint_) + ")";
}

HeldOut::HeldOut(double share, uint64_t seed, int64_t documents) : seed_(seed) {
  if (share <= 0) return;
  CHECK(documents > 1,
        "--validation-split: the corpus has one document, none of which can be held out to evaluate on; "
        "expected an empty line between documents, or --dev-corpus FILE");
  every_ = std::clamp(1 / share, 1 / 0.5, static_cast<double>(documents));
}

bool HeldOut::takes(int64_t document) const {
  if (every_ == 0) return false;
  const auto group = static_cast<int64_t>(static_cast<double>(document) / every_);
  const auto begin = static_cast<int64_t>(std::ceil(static_cast<double>(group) * every_)),
             end = static_cast<int64_t>(std::ceil(static_cast<double>(group + 1) * every_));
  const auto count = static_cast<uint64_t>(std::max<int64_t>(1, end - begin));
  return document == begin + static_cast<int64_t>(random_of(seed_, Draw::held_out, 0, group).below(count));
}

PassReader::PassReader(const Corpus& corpus, std::vector<size_t> order, int64_t from)
    : corpus_(corpus), order_(std::move(order)), place_(from) {
  while (at_ < order_.size() && from >= corpus_.documents_of(order_[at_])) from -= corpus_.documents_of(order_[at_++]);
  if (at_ == order_.size()) return;
  reader_ = corpus_.open(order_[at_]);
  for (Document skipped; in_file_ < from && reader_->next(skipped);) ++in_file_;
}

bool PassReader::next(Document& document, int64_t& number) {
  while (at_ < order_.size()) {
    const size_t file = order_[at_];
    if (!reader_) reader_ = corpus_.open(file);
    const bool there = reader_->next(document);
    CHECK(there == (in_file_ < corpus_.documents_of(file)), corpus_.files()[file].string(),
          ": has changed since it was first read: it had ", corpus_.documents_of(file), " documents, and now has ",
          there ? "more" : std::to_string(in_file_), "; expected a file that stays as it is: start anew");
    if (there) {
      number = corpus_.first_of(file) + in_file_++;
      ++place_;
      return true;
    }
    reader_.reset();
    in_file_ = 0;
    ++at_;
  }
  return false;
}

}  // namespace espalier
