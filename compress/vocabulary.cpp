// SPDX-License-Identifier: Apache-2.0
#include "compress/vocabulary.h"

#include <algorithm>
#include <fstream>
#include <limits>

#include "compress/mask.h"
#include "core/check.h"
#include "core/parallel.h"
#include "data/tsv.h"

namespace espalier {
namespace {

const char* const table = "bert.embeddings.word_embeddings.weight";

// All sentences of a file.
std::vector<std::string> sentences_of(const std::filesystem::path& path) {
  std::vector<std::string> sentences;
  if (path.extension() == ".tsv") {
    for (Example& example : read_tsv(path, {.labels = Labels::ignored}).examples) {
      sentences.push_back(std::move(example.first));
      if (!example.second.empty()) sentences.push_back(std::move(example.second));
    }
    return sentences;
  }
  std::ifstream in(path, std::ios::binary);
  CHECK(in.good(), path.string(), ": cannot be read; expected a TSV file or one of a sentence a line");
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) sentences.push_back(std::move(line));
  CHECK(!sentences.empty(), path.string(), ": holds no sentence; expected one a line");
  return sentences;
}

// One character of UTF-8, alone or as ##x.
bool single_character(std::string_view token) {
  if (token.starts_with("##") && token.size() > 2) token.remove_prefix(2);
  return std::count_if(token.begin(), token.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }) == 1;
}

bool special(const WordPiece& tokenizer, const std::string& token) {
  for (const char* name : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"})
    if (token == name) return true;
  return std::ranges::find(tokenizer.options().added_tokens, token) != tokenizer.options().added_tokens.end();
}

}  // namespace

std::vector<int64_t> count_tokens(const WordPiece& tokenizer, std::span<const std::filesystem::path> texts) {
  std::vector<int64_t> counts(static_cast<size_t>(tokenizer.size()));
  for (const std::filesystem::path& path : texts) {
    const auto sentences = sentences_of(path);
    std::vector<std::vector<int32_t>> ids(sentences.size());
    parallel_rows(std::ssize(sentences), 256, [&](int64_t begin, int64_t end) {
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i)
        ids[i] = tokenizer.encode(sentences[i], std::numeric_limits<int>::max()).ids;
    });
    for (const auto& sentence : ids)
      for (const int32_t id : sentence) ++counts[static_cast<size_t>(id)];
  }
  return counts;
}

std::unique_ptr<Model> keep_tokens(const Model& model, std::span<const int64_t> counts, int64_t least) {
  CHECK(least >= 1, "vocabulary: a least count of ", least, "; at least 1 is expected");
  const std::vector<std::string>& all = model.tokenizer.vocabulary();
  CHECK(counts.size() == all.size(), "vocabulary: ", counts.size(), " counts for ", all.size(), " tokens");
  std::vector<std::string> kept;
  std::vector<int64_t> rows;
  for (size_t i = 0; i < all.size(); ++i)
    if (counts[i] >= least || special(model.tokenizer, all[i]) || single_character(all[i])) {
      kept.push_back(all[i]);
      rows.push_back(static_cast<int64_t>(i));
    }
  model.store.settle();
  BertConfig config = model.config;
  config.vocab_size = std::ssize(kept);
  auto small = std::make_unique<Model>(config, WordPiece(kept, model.tokenizer.options()));
  small->store.lay_out();
  for (const Parameter* p : small->store.all())
    if (p->name != table) p->value.copy_from(model.store.at(p->name).value);
  small->pruned = model.pruned;

  const int64_t width = config.hidden_size;
  const Tensor& from = model.store.at(table).value;
  const Tensor& to = small->store.at(table).value;
  const auto mask = model.pruned.find(table);
  const Tensor bits = Mask::bits_of(to.shape(), true);
  for (size_t r = 0; r < rows.size(); ++r) {
    const auto row = static_cast<int64_t>(r);
    std::copy_n(from.data<float>() + rows[r] * width, width, to.data<float>() + row * width);
    if (mask == model.pruned.end()) continue;
    for (int64_t c = 0; c < width; ++c) {
      const int64_t before = rows[r] * width + c, now = row * width + c;
      if ((mask->second.data<uint8_t>()[before / 8] >> (before % 8) & 1) == 0)
        bits.data<uint8_t>()[now / 8] &= static_cast<uint8_t>(~(1U << (now % 8)));
    }
  }
  if (mask != model.pruned.end()) small->pruned[table] = bits;
  small->options = model.options;
  small->source = model.source;
  return small;
}

}  // namespace espalier
