// SPDX-License-Identifier: Apache-2.0
// A tokenizer's directory and a text: tokenizer.json, tokenizer_config.json, vocab.txt and the text, with a line ---
// between them.
#include "data/text/tokenizer.h"
#include "tests/fuzz/target.h"

using namespace espalier;

namespace {

void check(const Tokenizer& tokenizer, const Tokenizer::Encoding& encoding, int most) {
  fuzz::law(encoding.ids.size() == encoding.segments.size(), "each id has its segment");
  fuzz::law(std::ssize(encoding.ids) >= 2 && std::ssize(encoding.ids) <= most, "no more ids than asked for");
  fuzz::law(encoding.ids.front() == tokenizer.cls() && encoding.ids.back() == tokenizer.sep(), "[CLS] … [SEP]");
  for (const int32_t id : encoding.ids) fuzz::law(id >= 0 && id < tokenizer.size(), "ids are of the vocabulary");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const auto parts = fuzz::parts_of(fuzz::text_of(bytes, size), 4);
  fuzz::folder().put("tokenizer.json", parts[0]);
  fuzz::folder().put("tokenizer_config.json", parts[1]);
  fuzz::folder().put("vocab.txt", parts[2]);
  const auto directory = fuzz::folder().path();
  fuzz::accepts(
      [&] {
        const Tokenizer tokenizer = Tokenizer::from_directory(directory);
        const std::string_view text = parts[3], half = text.substr(0, text.size() / 2);
        const auto all = tokenizer.encode(text, 1 << 20);
        check(tokenizer, all, 1 << 20);
        check(tokenizer, tokenizer.encode(text, 5), 5);
        check(tokenizer, tokenizer.encode_pair(half, text, 7), 7);
        fuzz::law(tokenizer.tokens_met(text).size() + 2 >= all.ids.size(), "the tokens of a text were met");
        const Tokenizer copy(tokenizer.vocabulary(), tokenizer.options());
        fuzz::law(copy.encode(text, 1 << 20).ids == all.ids, "vocabulary and options are all of a tokenizer");
      },
      directory.string());
  return 0;
}
