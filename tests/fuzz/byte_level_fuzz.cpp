// SPDX-License-Identifier: Apache-2.0
// A byte-level BPE's directory and a text: vocab.json, merges.txt, tokenizer.json, tokenizer_config.json and the text,
// with a line --- between them. The letters of all bytes are added to vocab.json, since no input would have them.
#include <nlohmann/json.hpp>

#include "data/text/tokenizer.h"
#include "tests/fuzz/target.h"

using namespace espalier;

namespace {

std::string with_all_bytes(const std::string& vocabulary) {
  auto json = nlohmann::json::parse(vocabulary, nullptr, false);
  if (!json.is_object()) return vocabulary;
  for (const std::string& letter : byte_letters()) json.emplace(letter, json.size());
  return json.dump();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const auto parts = fuzz::parts_of(fuzz::text_of(bytes, size), 5);
  fuzz::folder().put("vocab.json", with_all_bytes(std::string(parts[0])));
  fuzz::folder().put("merges.txt", parts[1]);
  fuzz::folder().put("tokenizer.json", parts[2]);
  fuzz::folder().put("tokenizer_config.json", parts[3]);
  const auto directory = fuzz::folder().path();
  fuzz::accepts(
      [&] {
        const Tokenizer tokenizer = Tokenizer::from_directory(directory);
        const std::string_view text = parts[4];
        const auto all = tokenizer.encode(text, 1 << 20);
        for (const int32_t id : all.ids) fuzz::law(id >= 0 && id < tokenizer.size(), "ids are of the vocabulary");
        fuzz::law(std::ssize(tokenizer.encode_pair(text, text, 7).ids) <= 7, "no more ids than asked for");
        fuzz::law(tokenizer.tokens_met(text).size() + 2 >= all.ids.size(), "the tokens of a text were met");
        const Tokenizer copy(tokenizer.vocabulary(), tokenizer.options());
        fuzz::law(copy.encode(text, 1 << 20).ids == all.ids, "vocabulary and options are all of a tokenizer");
      },
      directory.string());
  return 0;
}
