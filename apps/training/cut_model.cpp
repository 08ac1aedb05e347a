// SPDX-License-Identifier: Apache-2.0
#include "apps/training/cut_model.h"

#include "compress/cutting/layers.h"
#include "compress/cutting/vocabulary.h"
#include "core/format.h"

namespace espalier {
namespace {

std::string cut_layers(const CutOptions& options, std::unique_ptr<Model>& model) {
  const int64_t before = model->config.num_hidden_layers;
  model = options.keep_layers.empty() ? espalier::drop_layers(*model, options.drop_layers)
                                      : espalier::keep_layers(*model, options.keep_layers);
  return format("layers: %ld of %ld are left, counted from 0 again\n", model->config.num_hidden_layers, before);
}

std::string cut_vocabulary(const CutOptions& options, std::unique_ptr<Model>& model, Record& figures) {
  const std::vector<std::string> sentences = read_sentences(options.vocabulary);
  const Tokenizer before = model->tokenizer;
  const int64_t rows_before = model->config.vocab_size;
  model = keep_tokens(*model, count_tokens(before, sentences), options.least);
  const Tokenizer& after = model->tokenizer;
  const int64_t rows = rows_before - model->config.vocab_size, bytes = 4 * rows * model->config.hidden_size;
  const Retokenized text = retokenize(before, after, sentences);
  figures.set("vocabulary", {{"tokens_before", before.size()},
                             {"tokens", after.size()},
                             {"rows_removed", rows},
                             {"bytes_removed", bytes},
                             {"sentences", text.sentences},
                             {"sentences_changed", text.changed},
                             {"pieces_before", text.before},
                             {"pieces", text.after}});
  const auto each = [&](int64_t pieces) { return static_cast<double>(pieces) / static_cast<double>(text.sentences); };
  const std::string what = format("vocabulary: %d of %d tokens are left; %ld rows of the word embeddings went, %s; ",
                                  after.size(), before.size(), rows, in_megabytes(bytes).c_str());
  if (text.changed == 0)
    return what + format("none of %ld sentences comes apart differently (%.2f pieces each)\n", text.sentences,
                         each(text.before));
  return what + format("%ld of %ld sentences come apart differently (%.2f pieces each, before %.2f)\n", text.changed,
                       text.sentences, each(text.after), each(text.before));
}

}  // namespace

void CutOptions::declare(Options& rows) {
  rows.add("keep-layers", keep_layers, "whole layers that stay, counted from 0, such as 0,2,4").by_commas();
  rows.add("drop-layers", drop_layers,
           "whole layers that go, such as 3,5; to have them chosen: --structure layer --amount")
      .by_commas()
      .only_if([this] { return keep_layers.empty(); }, "excludes --keep-layers; name one of them");
  rows.add(
      "vocabulary", vocabulary,
      "texts (TSV, or a sentence a line): tokens that they never use are cut out of word embeddings and tokenizer; "
      "special tokens and single characters stay, so that other words come apart into smaller pieces");
  rows.add("vocabulary-least", least,
           "with --vocabulary: tokens used fewer times than this go too; above 1, the texts themselves come apart into "
           "smaller pieces")
      .only_if([this] { return !vocabulary.empty(); }, "requires --vocabulary");
}

std::string CutOptions::apply(std::unique_ptr<Model>& model, Record& figures) const {
  std::string done;
  if (names_layers()) done += cut_layers(*this, model);
  if (!vocabulary.empty()) done += cut_vocabulary(*this, model, figures);
  return done;
}

}  // namespace espalier
