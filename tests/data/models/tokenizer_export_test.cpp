// SPDX-License-Identifier: Apache-2.0
// Tokenizers that leave as files or in a checkpoint, and come back.
#include "data/models/tokenizer_export.h"

#include "data/edge/edge_export.h"
#include "data/edge/edge_model.h"
#include "data/models/model_source.h"
#include "tests/data/models/checkpoint_file.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

const fs::path byte_level = fs::path(ESPALIER_TESTS_DIR) / "golden" / "byte_level";

// RoBERTa's, with a token for masks that takes the space before it, and one that was added.
Tokenizer roberta() {
  const Tokenizer plain = Tokenizer::from_directory(byte_level);
  TokenizerOptions options = plain.options();
  options.add_prefix_space = true;
  options.added_tokens = {{.content = "<mask>", .special = true, .lstrip = true},
                          {.content = "[E1]", .normalized = true, .piece = false}};
  std::vector<std::string> vocabulary = plain.vocabulary();
  vocabulary.emplace_back("[E1]");
  return {std::move(vocabulary), std::move(options)};
}

const char* const text = " A fine  <mask>[E1] films' \u00e9\n";

void expect_same(const Tokenizer& found, const Tokenizer& expected) {
  EXPECT_EQ(found.vocabulary(), expected.vocabulary());
  EXPECT_EQ(found.options(), expected.options());
  EXPECT_EQ(found.encode(text, 512).ids, expected.encode(text, 512).ids);
}

void expect_comes_back(const Tokenizer& tokenizer) {
  const TemporaryFolder folder;
  for (const auto& [name, contents_of] : tokenizer_files(tokenizer, "x")) write_bytes(folder / name, contents_of);
  expect_same(Tokenizer::from_directory(folder.path()), tokenizer);
  for (const char* name : {"vocab.json", "merges.txt", "vocab.txt"}) fs::remove(folder / name);
  expect_same(Tokenizer::from_directory(folder.path()), tokenizer);
}

TEST(TokenizerExport, FilesComeBack) {
  expect_comes_back(roberta());
  expect_comes_back(Tokenizer::from_directory(byte_level));
  expect_comes_back({vocabulary(), contents().tokenizer});
  std::vector<std::string> others = vocabulary();
  others[0] = "<pad>", others[1] = "<unk>", others[2] = "<s>", others[3] = "</s>", others[4] = "<mask>";
  expect_comes_back({others, {.special = SpecialTokens::roberta(), .longest_word = 4}});
}

TEST(TokenizerExport, ACheckpointAndAnEdgeFileKeepKindAndMerges) {
  const TemporaryFolder folder;
  const Tokenizer tokenizer = roberta();
  BertConfig config = small_config();
  config.vocab_size = tokenizer.size();
  Model model(config, tokenizer);
  model.store.allocate(1, 0.5F);
  model.source = "model";
  save_checkpoint(folder / "m.h5", model.store, model.contents());
  const auto again = open_model((folder / "m.h5").string());
  expect_same(again->tokenizer, tokenizer);
  export_edge(*again, folder / "m.edge");
  const EdgeModel edge(EdgeFile(folder / "m.edge"));
  EXPECT_EQ(edge.tokenizer().options().merges, tokenizer.options().merges);
  EXPECT_EQ(edge.tokenizer().encode(text, 512).ids, tokenizer.encode(text, 512).ids);
}

}  // namespace
}  // namespace espalier
