// SPDX-License-Identifier: Apache-2.0
// Reading vocab.txt and Hugging Face directories.
#include <utility>

#include "core/check.h"
#include "data/text/lines.h"
#include "data/text/tokenizer.h"
#include "data/text/tokenizer_files.h"
#include "data/text/unicode_classes.h"

namespace espalier {
namespace {

// As tokenizers reads vocab.txt. A token of nothing but white space stays; no text has it.
std::string_view without_space_at_end(std::string_view token) {
  std::size_t end = 0;
  for (std::size_t at = 0; at < token.size();)
    if (!is_white_space(read_code_point(token, at))) end = at;
  return end == 0 ? token : token.substr(0, end);
}

}  // namespace

std::vector<std::string> Tokenizer::read_vocabulary(const std::filesystem::path& vocab_txt) {
  Lines lines(vocab_txt, Lines::Of::records, "one token per line", int64_t{32} << 20);
  std::vector<std::string> tokens;
  for (std::string_view line; lines.next(line);) tokens.emplace_back(without_space_at_end(line));
  CHECK(!tokens.empty(), vocab_txt.string(), ": holds no token; expected one per line");
  return tokens;
}

Tokenizer Tokenizer::from_directory(const std::filesystem::path& directory) {
  TokenizerFiles files = read_tokenizer_files(directory);
  std::vector<std::string> vocabulary = espalier::read_vocabulary(files);
  TokenizerOptions options = read_options(files);
  if (options.kind == TokenizerKind::byte_level_bpe) options.merges = read_merges(files, vocabulary);
  options.added_tokens = read_added_tokens(files, options.special, vocabulary);
  try {
    Tokenizer tokenizer(std::move(vocabulary), std::move(options));
    tokenizer.notes_ = std::move(files.notes);
    return tokenizer;
  } catch (const Error& error) { fail(directory.string(), ": ", error.what()); }
}

}  // namespace espalier
