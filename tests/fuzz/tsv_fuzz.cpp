// SPDX-License-Identifier: Apache-2.0
// TSV files: what is read can be written, and then holds the same examples.
#include <algorithm>

#include "data/text/examples.h"
#include "data/text/tsv.h"
#include "tests/fuzz/target.h"

using namespace espalier;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const auto path = fuzz::folder().put("data.tsv", fuzz::text_of(bytes, size));
  const auto again = fuzz::folder() / "again.tsv";
  const ReadOptions options = {.labels = Labels::if_present, .read_label = ClassReader({"negative", "positive"})};
  Dataset read;
  if (!fuzz::accepts([&] { read = read_dataset(path, options); }, path.string())) return 0;
  fuzz::law(!read.examples.empty(), "there are examples");
  const auto unwritable = [&](const Example& e) {  // a \r in a text, or a text without a letter as the only column
    return (e.first + e.second).find('\r') != std::string::npos || (e.first.empty() && !read.pairs && !read.labelled);
  };
  const bool written = fuzz::accepts([&] { write_tsv(again, read); }, again.string());
  fuzz::law(written || std::ranges::any_of(read.examples, unwritable), "what was read can be written");
  if (!written) return 0;

  const Dataset copy = read_dataset(again, options);
  const auto same = [](const Example& a, const Example& b) {
    return a.first == b.first && a.second == b.second && a.label == b.label;
  };
  fuzz::law(copy.pairs == read.pairs && copy.labelled == read.labelled, "the columns are the same");
  fuzz::law(std::ranges::equal(copy.examples, read.examples, same), "the examples are the same");
  return 0;
}
