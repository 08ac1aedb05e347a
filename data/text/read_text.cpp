// SPDX-License-Identifier: Apache-2.0
#include "data/text/read_text.h"

#include <algorithm>

#include "core/check.h"
#include "core/quoted.h"
#include "data/text/class_names.h"
#include "data/text/holdout.h"

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

// Tokenizes the file block by block and hands each block on: add(tokens, their examples).
template <class Add>
void read_blocks(const std::filesystem::path& path, const Tokenizer& tokenizer, const Head& head, int max_length,
                 const TextOptions& options, const Add& add) {
  constexpr size_t most_examples = 8192, most_bytes = size_t{8} << 20;  // of a block
  const std::vector<std::string> names =
      options.labels == Labels::ignored ? std::vector<std::string>() : read_class_names(path.parent_path());
  ExampleReader reader(path, {.labels = options.labels,
                              .table = options.table,
                              .read_label = [&](std::string_view label) { return read_label(label, head, names); }});
  if (options.say && !reader.note().empty()) options.say(reader.note());
  const Tokenize tokenize = [&](const Example& example, std::vector<int32_t>& ids, std::vector<int32_t>& segments) {
    auto encoding = reader.pairs() ? tokenizer.encode_pair(example.first, example.second, max_length)
                                   : tokenizer.encode(example.first, max_length);
    ids = std::move(encoding.ids);
    segments = std::move(encoding.segments);
  };
  std::vector<Example> block;
  for (bool more = true; more;) {
    block.clear();
    size_t bytes = 0;
    for (Example example; block.size() < most_examples && bytes < most_bytes && (more = reader.next(example));) {
      bytes += example.first.size() + example.second.size();
      block.push_back(std::move(example));
    }
    add(tokenize_examples(block, reader.labelled(), tokenize), block);
  }
}

}  // namespace

TokenizedDataset read_text(const std::filesystem::path& path, const Tokenizer& tokenizer, const Head& head,
                           int max_length, const TextOptions& options) {
  TokenizedDataset data;
  data.set_limit(static_cast<size_t>(options.table.memory) << 20);
  read_blocks(path, tokenizer, head, max_length, options,
              [&](const TokenizedDataset& block, const std::vector<Example>&) { append(data, block); });
  return data;
}

SplitText read_and_split(const std::filesystem::path& path, const Tokenizer& tokenizer, const Head& head,
                         int max_length, const TextOptions& options, double share, uint64_t seed) {
  SplitText parts;
  for (TokenizedDataset* part : {&parts.train, &parts.dev})
    part->set_limit(static_cast<size_t>(options.table.memory) << 20);
  Holdout holdout(share, seed);
  read_blocks(path, tokenizer, head, max_length, options,
              [&](const TokenizedDataset& block, const std::vector<Example>& examples) {
                std::vector<int64_t> train, dev;
                for (size_t i = 0; i < examples.size(); ++i)
                  (holdout.takes(examples[i].label) ? dev : train).push_back(static_cast<int64_t>(i));
                append(parts.train, block, train);
                append(parts.dev, block, dev);
              });
  CHECK(parts.train.sentences() > 0 && parts.dev.sentences() > 0, path.string(), ": has ",
        parts.train.sentences() + parts.dev.sentences(), " examples, of which a share of ", share, " leaves ",
        parts.train.sentences(), " for training and ", parts.dev.sentences(),
        " for validation; expected some for both: choose another --validation-split");
  return parts;
}

}  // namespace espalier
