// SPDX-License-Identifier: Apache-2.0
#include "data/text/read_text.h"

#include "core/check.h"

namespace espalier {

TokenizedDataset read_text(const std::filesystem::path& path, const WordPiece& tokenizer,
                           const std::vector<std::string>& labels, int max_length, Labels wanted) {
  const Dataset dataset = read_tsv(path, {.labels = wanted, .label_names = labels});
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
