// SPDX-License-Identifier: Apache-2.0
// JSON lines: what is read can be written, and then holds the same examples.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "data/text/examples.h"
#include "tests/fuzz/target.h"

using namespace espalier;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const auto path = fuzz::folder().put("data.jsonl", fuzz::text_of(bytes, size));
  const ReadOptions options = {.labels = Labels::if_present, .read_label = ClassReader({"negative", "positive"})};
  Dataset read;
  if (!fuzz::accepts([&] { read = read_dataset(path, options); }, path.string())) return 0;
  fuzz::law(!read.examples.empty(), "there are examples");
  std::string text;
  for (const Example& e : read.examples)
    text += nlohmann::json{{"sentence", e.first}, {"sentence2", e.second}, {"label", e.label}}.dump() + "\n";
  const Dataset copy = read_dataset(fuzz::folder().put("again.jsonl", text), options);
  const auto same = [](const Example& a, const Example& b) {
    return a.first == b.first && a.second == b.second && a.label == b.label;
  };
  fuzz::law(std::ranges::equal(copy.examples, read.examples, same), "the examples are the same");
  return 0;
}
