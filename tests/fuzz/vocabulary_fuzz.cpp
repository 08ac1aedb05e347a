// SPDX-License-Identifier: Apache-2.0
// vocab.txt: what is read can be written one token a line, and is then read as the same.
#include "data/text/tokenizer.h"
#include "tests/fuzz/target.h"

using namespace espalier;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const auto path = fuzz::folder().put("vocab.txt", fuzz::text_of(bytes, size));
  std::vector<std::string> tokens;
  if (!fuzz::accepts([&] { tokens = Tokenizer::read_vocabulary(path); }, path.string())) return 0;
  std::string text = "\xef\xbb\xbf";  // so that one in the first token stays
  for (const std::string& token : tokens) text += token + "\r\n";
  fuzz::folder().put("vocab.txt", text);
  fuzz::law(Tokenizer::read_vocabulary(path) == tokens, "the tokens are the same");
  fuzz::accepts([&] {
    const Tokenizer tokenizer(tokens, {});
    fuzz::law(tokenizer.vocabulary() == tokens, "the tokenizer has the tokens");
    for (int32_t id = 0; id < tokenizer.size(); ++id)
      fuzz::law(tokenizer.token(id) == tokens[static_cast<size_t>(id)], "a token has its place as id");
  });
  return 0;
}
