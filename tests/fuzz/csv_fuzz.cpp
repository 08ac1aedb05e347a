// SPDX-License-Identifier: Apache-2.0
// CSV files: what is read can be written with quotes around everything, and then holds the same examples.
#include <algorithm>

#include "data/text/examples.h"
#include "tests/fuzz/target.h"

using namespace espalier;

namespace {

std::string in_quotes(const std::string& text) {
  std::string all = "\"";
  for (const char c : text) all += c == '"' ? std::string("\"\"") : std::string(1, c);
  return all + "\"";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const auto path = fuzz::folder().put("data.csv", fuzz::text_of(bytes, size));
  const ReadOptions options = {.labels = Labels::if_present, .read_label = ClassReader({"negative", "positive"})};
  Dataset read;
  if (!fuzz::accepts([&] { read = read_dataset(path, options); }, path.string())) return 0;
  fuzz::law(!read.examples.empty(), "there are examples");
  std::string text = "sentence,sentence2,label\n";
  for (const Example& e : read.examples)
    text += in_quotes(e.first) + "," + in_quotes(e.second) + "," + std::to_string(e.label) + "\r\n";
  const Dataset copy = read_dataset(fuzz::folder().put("again.csv", text), options);
  const auto same = [](const Example& a, const Example& b) {
    return a.first == b.first && a.second == b.second && a.label == b.label;
  };
  fuzz::law(std::ranges::equal(copy.examples, read.examples, same), "the examples are the same");
  return 0;
}
