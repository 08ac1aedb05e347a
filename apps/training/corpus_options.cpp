// SPDX-License-Identifier: Apache-2.0
#include "apps/training/corpus_options.h"

#include "core/check.h"
#include "core/format.h"

namespace espalier {
namespace {

constexpr int shortest_sequence = 8;

StreamOptions stream_options(const CorpusOptions& options, int max_length, bool shuffle, uint64_t seed) {
  return {.sequences = {.max_length = max_length,
                        .pairs = options.next_sentence,
                        .short_sequences = options.short_sequences},
          .masks = options.masks,
          .shuffle = shuffle,
          .window = static_cast<int64_t>(options.shuffle_window * 0x1p20),
          .seed = seed};
}

Corpus open_corpus(const std::vector<std::string>& files, const TableOptions& table, int64_t longest,
                   const Listener& listener) {
  Corpus corpus({files.begin(), files.end()}, table, longest,
                [&](int64_t read, int64_t all) { listener.progress(read, all, "reading the corpus"); });
  for (const std::string& note : corpus.notes()) listener.say(note);
  return corpus;
}

void check_pairs(const Corpus& corpus) {
  const std::string file = corpus.files().front().string();
  CHECK(corpus.documents() > 1, file,
        ": is one document, so there is no other one to draw a random next sentence from; "
        "expected an empty line between documents, or --next-sentence false");
  CHECK(corpus.has_neighbours(), file, ": each of the ", corpus.documents(),
        " documents has one line, so no sentence has a next one; expected empty lines between documents only, or "
        "--next-sentence false");
}

}  // namespace

Task CorpusOptions::task() const {
  return {next_sentence ? "pre-training" : "masked-words", BertConfig{}.labels, "it learns from plain text"};
}

void CorpusOptions::declare(Options& rows) {
  const std::string prefix = "--" + rows.group().prefix;
  rows.add("dev-corpus", dev,
           "files to evaluate on; default: documents of the corpus, see " + prefix + "validation-split")
      .by_content();
  rows.add("validation-split", validation_split,
           "share of the documents to evaluate on instead of training, chosen by the seed, at least one")
      .range([this] { return validation_split > 0 && validation_split <= 0.5; },
             "a share above 0, up to 0.5, is expected")
      .only_if([this] { return dev.empty(); }, "has no effect beside " + prefix + "dev-corpus");
  rows.add(
          "mask-share", masks.share,
          "share of the tokens to find again: 80 % of them are [MASK], 10 % another token, 10 % as they are; others in "
          "each pass")
      .range([this] { return masks.share > 0 && masks.share <= 0.5; }, "a share above 0, up to 0.5, is expected");
  rows.flag("whole-word", masks.whole_words, "mask all pieces of a word together");
  rows.add(
      "next-sentence", next_sentence,
      "pairs of texts, and a head that tells whether the second one follows the first; false: each sequence is full "
      "of lines of one document, and the head knows masked words only");
  rows.add("short-sequences", short_sequences, "share of the documents whose pairs are shorter, of any length")
      .between(0, 1, "a share from 0 to 1 is expected")
      .only_if([this] { return next_sentence; }, "is for " + prefix + "next-sentence");
  rows.add("shuffle-window", shuffle_window,
           "MiB of text whose sequences are shuffled together, and which are in memory at a time")
      .range([this] { return shuffle_window >= 0.001 && shuffle_window <= 0x1p20; }, "0.001 to 2^20 is expected");
}

std::unique_ptr<CorpusText> read_corpus(const CorpusOptions& options, const Tokenizer& tokenizer, int max_length,
                                        bool shuffle, uint64_t seed, const Listener& listener) {
  CHECK(max_length >= shortest_sequence, "--max-length ", max_length, ": at least ", shortest_sequence,
        " is expected in pre-training");
  const StreamOptions how = stream_options(options, max_length, shuffle, seed);
  auto text = std::make_unique<CorpusText>(
      CorpusText{open_corpus(options.files, options.table, how.longest_document(), listener), {}, {}, {}, {}});
  if (options.next_sentence) check_pairs(text->corpus);
  if (options.dev.empty()) text->held_out = HeldOut(options.validation_split, seed, text->corpus.documents());
  text->stream =
      std::make_unique<CorpusStream>(text->corpus, text->held_out, CorpusStream::Part::training, tokenizer, how);
  text->dev.set_limit(static_cast<size_t>(options.table.memory) << 20);
  StreamOptions fixed = how;
  fixed.shuffle = false;
  fixed.seed = 0;  // the masks of the dev text are those of every run
  const auto read_dev = [&](const Corpus& corpus, const HeldOut& held_out, CorpusStream::Part part) {
    CorpusStream(corpus, held_out, part, tokenizer, fixed).append_pass(text->dev);
    CHECK(text->dev.sentences() > 0, corpus.files().front().string(),
          ": the text to evaluate on has no token to mask; expected the vocabulary that belongs to the text");
  };
  if (options.dev.empty()) {
    read_dev(text->corpus, text->held_out, CorpusStream::Part::held_out);
  } else {
    const Corpus dev = open_corpus(options.dev, options.table, how.longest_document(), listener);
    text->dev_described = dev.described();
    read_dev(dev, {}, CorpusStream::Part::training);
  }
  return text;
}

}  // namespace espalier
