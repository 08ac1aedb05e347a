// SPDX-License-Identifier: Apache-2.0
#include "data/text/read_text.h"

#include <algorithm>

#include "core/check.h"
#include "core/quoted.h"
#include "data/text/class_names.h"

namespace espalier {
namespace {

// What the head reads; but a number of which labels.txt says that it is a class that the head has elsewhere is an
// Error.
Label read_label(std::string_view text, const Head& head, const std::vector<std::string>& names) {
  Label label = head.read_label(text);
  const auto number = static_cast<size_t>(std::max(0, label.number));
  const auto& labels = head.labels();
  if (number >= names.size() || number >= labels.size() || text != std::to_string(number)) return label;
  for (size_t other = 0; other < labels.size(); ++other)
    CHECK(other == number || !equal_names(labels[other], names[number]) || equal_names(labels[number], names[number]),
          "label ", number, " is ", quoted(names[number]), " in labels.txt beside the file, and ",
          quoted(labels[number]),
          " for the model; expected the same order: write names into the label column, or "
          "remove labels.txt if the numbers are the model's");
  return label;
}

}  // namespace

TokenizedDataset read_text(const std::filesystem::path& path, const Tokenizer& tokenizer, const Head& head,
                           int max_length, Labels wanted) {
  const std::vector<std::string> names =
      wanted == Labels::ignored ? std::vector<std::string>() : read_class_names(path.parent_path());
  const Dataset dataset = read_tsv(
      path, {.labels = wanted, .read_label = [&](std::string_view label) { return read_label(label, head, names); }});
  CHECK(!dataset.examples.empty(), path.string(), ": there are no sentences below the header");
  return tokenize_dataset(
      dataset, [&](const Example& example, std::vector<int32_t>& ids, std::vector<int32_t>& segments) {
        auto encoding = dataset.pairs ? tokenizer.encode_pair(example.first, example.second, max_length)
                                      : tokenizer.encode(example.first, max_length);
        ids = std::move(encoding.ids);
        segments = std::move(encoding.segments);
      });
}

}  // namespace espalier
