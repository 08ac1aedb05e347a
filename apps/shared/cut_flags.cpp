// SPDX-License-Identifier: Apache-2.0
#include "apps/shared/cut_flags.h"

#include "apps/shared/part_table.h"
#include "apps/shared/program.h"
#include "compress/cutting/layers.h"
#include "compress/cutting/vocabulary.h"
#include "core/check.h"

namespace espalier {
namespace {

std::string cut_layers(const CutFlags& flags, std::unique_ptr<Model>& model) {
  const int64_t before = model->config.num_hidden_layers;
  model = flags.keep_layers.empty() ? espalier::drop_layers(*model, flags.drop_layers)
                                    : espalier::keep_layers(*model, flags.keep_layers);
  return format("layers: %ld of %ld are left, counted from 0 again\n", model->config.num_hidden_layers, before);
}

std::string cut_vocabulary(const CutFlags& flags, std::unique_ptr<Model>& model, nlohmann::json& figures) {
  const std::vector<std::string> sentences = read_sentences(flags.vocabulary);
  const WordPiece before = model->tokenizer;
  const int64_t rows_before = model->config.vocab_size;
  model = keep_tokens(*model, count_tokens(before, sentences), flags.least);
  const WordPiece& after = model->tokenizer;
  const int64_t rows = rows_before - model->config.vocab_size, bytes = 4 * rows * model->config.hidden_size;
  const Retokenized text = retokenize(before, after, sentences);
  figures["vocabulary"] = {{"tokens_before", before.size()}, {"tokens", after.size()},
                           {"rows_removed", rows},           {"bytes_removed", bytes},
                           {"sentences", text.sentences},    {"sentences_changed", text.changed},
                           {"pieces_before", text.before},   {"pieces", text.after}};
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

void CutFlags::declare(CLI::App& app) {
  CLI::Option* const keep =
      app.add_option("--keep-layers", keep_layers, "whole layers that stay, counted from 0, such as 0,2,4")
          ->delimiter(',');
  app.add_option("--drop-layers", drop_layers,
                 "whole layers that go, such as 3,5; to have them chosen: --structure layer --amount")
      ->delimiter(',')
      ->excludes(keep);
  CLI::Option* const texts = app.add_option(
      "--vocabulary", vocabulary,
      "texts (TSV, or a sentence a line): tokens that they never use are cut out of word embeddings and tokenizer; "
      "special tokens and single characters stay, so that other words come apart into smaller pieces");
  app.add_option(
         "--vocabulary-least", least,
         "with --vocabulary: tokens used fewer times than this go too; above 1, the texts themselves come apart "
         "into smaller pieces")
      ->needs(texts)
      ->capture_default_str();
}

std::string CutFlags::apply(std::unique_ptr<Model>& model, nlohmann::json& figures) const {
  std::string done;
  if (names_layers()) done += cut_layers(*this, model);
  if (!vocabulary.empty()) done += cut_vocabulary(*this, model, figures);
  if (!on()) return done;
  std::vector<std::string> texts;
  for (const std::filesystem::path& text : vocabulary) texts.push_back(text.string());
  model->options["cut"] = {
      {"keep-layers", keep_layers}, {"drop-layers", drop_layers}, {"vocabulary", texts}, {"vocabulary-least", least}};
  return done;
}

}  // namespace espalier
