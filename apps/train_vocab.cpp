// SPDX-License-Identifier: Apache-2.0
// A vocabulary from texts.
#include <cstdio>
#include <filesystem>

#include "apps/cli/program.h"
#include "data/files/atomic_file.h"
#include "data/files/atomic_folder.h"
#include "data/models/model_files.h"
#include "data/models/tokenizer_export.h"
#include "data/text/vocabulary_training.h"

namespace {
using namespace espalier;

enum class VocabularyType { wordpiece, bpe };

struct TrainVocab {
  std::vector<std::filesystem::path> input;
  TableOptions table;
  std::string output;
  VocabularyType type = VocabularyType::wordpiece;
  VocabularyTraining training;
  bool cased = false;
  int64_t max_length = 512;

  void declare(Options& rows);

  int run(const CommonOptions& common) {
    training.options.kind = type == VocabularyType::bpe ? TokenizerKind::byte_level_bpe : TokenizerKind::wordpiece;
    if (type == VocabularyType::bpe) training.options.special = SpecialTokens::roberta();
    training.options.lowercase = !cased;
    AtomicFolder folder(output, is_exported_file);
    const Listener listener = common.listener();
    WordCounts words(training.options);
    for (const std::filesystem::path& path : input)
      words.add_file(path, table,
                     [&](int64_t read, int64_t of) { listener.progress(read, of, path.filename().string()); });
    const Tokenizer tokenizer =
        training.run(words.words(), [&](int64_t tokens) { listener.progress(tokens, training.size, "tokens"); });
    for (const auto& [name, text] : tokenizer_files(tokenizer, output, {.max_length = max_length}))
      write_file(folder.temporary() / name, text);
    folder.commit();
    if (common.json)
      print_json({{"output", output}, {"tokens", tokenizer.size()}, {"words", std::ssize(words.words())}});
    else if (!common.quiet)
      std::printf("%s: %d tokens from %zu different words\n", output.c_str(), tokenizer.size(), words.words().size());
    return 0;
  }
};

}  // namespace

template <>
struct espalier::Names<VocabularyType> {
  static constexpr const char* list[] = {"wordpiece", "bpe"};
};

void TrainVocab::declare(Options& rows) {
  const auto bpe = [this] { return type == VocabularyType::bpe; };
  const auto wordpiece = [this] { return type == VocabularyType::wordpiece; };
  rows.add("input", input, "texts, a sentence a line, or tables: .tsv, .csv, .jsonl").by_commas().required();
  rows.add("text-column", table.text_column, "of tables: column of the text, or of the first one of a pair")
      .no_default();
  rows.add("pair-column", table.pair_column, "of tables: column of a pair's second text").no_default();
  rows.add("output", output, "directory to write, which must be new or empty").required();
  rows.add("type", type, "wordpiece, as BERT has it, or bpe, byte-level as RoBERTa has it");
  rows.add("size", training.size, "tokens at most; fewer where no pair of pieces is met often enough")
      .between(10, 10000000, "10 to 10000000 are expected");
  rows.add("min-frequency", training.least, "a piece is met at least so many times")
      .between(1, 1000000000, "at least 1 is expected");
  rows.add("alphabet", training.alphabet, "single characters at most, the most frequent; a word with another is [UNK]")
      .between(1, 1000000, "1 to 1000000 are expected")
      .only_if(wordpiece, "has no effect with --type bpe, which knows all bytes");
  rows.flag("cased", cased, "keep upper case and accents").only_if(wordpiece, "has no effect with --type bpe");
  rows.flag("prefix-space", training.options.add_prefix_space,
            "a space before each text, so that its first word is as others")
      .only_if(bpe, "has no effect with --type wordpiece");
  rows.add("max-length", max_length, "tokens a sentence, for transformers (model_max_length)")
      .between(2, 1 << 20, "2 to 1048576 are expected");
}

int main(int argc, char** argv) {
  return run_program<TrainVocab>(
      argc, argv,
      "Makes a vocabulary from texts: it starts from single characters, or bytes, and makes the most frequent pair of\n"
      "neighbouring pieces one piece, until there are --size. The same texts give the same files. Lines are counted "
      "as\n"
      "they are read; memory holds the different words only. Every program takes the directory as --vocab, and\n"
      "transformers opens it with AutoTokenizer. More in docs/TOKENIZERS.md.\n"
      "Example: train_vocab --input reviews.txt --type bpe --size 8000 --output vocabulary\n"
      "         train --model random:mini --vocab vocabulary --data reviews --output model.h5");
}
