// SPDX-License-Identifier: Apache-2.0
#include "data/models/architectures.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "core/check.h"
#include "core/quoted.h"

namespace espalier {
namespace {

ArchitectureRow bert() {
  return {.model_type = "bert",
          .prefix = "bert.",
          .classifier = "BertForSequenceClassification",
          .classes = {"BertForSequenceClassification", "BertModel", "BertForMaskedLM", "BertForPreTraining",
                      "BertLMHeadModel", "BertForTokenClassification", "BertForQuestionAnswering",
                      "BertForNextSentencePrediction", "BertForMultipleChoice"},
          .tensors = {},
          .fields = {},
          .harmless = {},
          .defaults = {}};
}

ArchitectureRow distilbert() {
  BertConfig defaults;
  defaults.architecture = Architecture::distilbert;
  defaults.num_hidden_layers = 6;
  defaults.type_vocab_size = 0;
  defaults.classifier_dropout = 0.2F;
  return {
      .model_type = "distilbert",
      .prefix = "distilbert.",
      .classifier = "DistilBertForSequenceClassification",
      .classes = {"DistilBertForSequenceClassification", "DistilBertModel", "DistilBertForMaskedLM",
                  "DistilBertForTokenClassification", "DistilBertForQuestionAnswering", "DistilBertForMultipleChoice"},
      .tensors = {{"bert.encoder.layer.#.attention.self.query.", "distilbert.transformer.layer.#.attention.q_lin."},
                  {"bert.encoder.layer.#.attention.self.key.", "distilbert.transformer.layer.#.attention.k_lin."},
                  {"bert.encoder.layer.#.attention.self.value.", "distilbert.transformer.layer.#.attention.v_lin."},
                  {"bert.encoder.layer.#.attention.output.dense.", "distilbert.transformer.layer.#.attention.out_lin."},
                  {"bert.encoder.layer.#.attention.output.LayerNorm.", "distilbert.transformer.layer.#.sa_layer_norm."},
                  {"bert.encoder.layer.#.intermediate.dense.", "distilbert.transformer.layer.#.ffn.lin1."},
                  {"bert.encoder.layer.#.output.dense.", "distilbert.transformer.layer.#.ffn.lin2."},
                  {"bert.encoder.layer.#.output.LayerNorm.", "distilbert.transformer.layer.#.output_layer_norm."},
                  {"bert.pooler.dense.", "pre_classifier."},
                  {"bert.", "distilbert."}},
      .fields = {{"hidden_size", "dim"},
                 {"num_hidden_layers", "n_layers"},
                 {"num_attention_heads", "n_heads"},
                 {"intermediate_size", "hidden_dim"},
                 {"hidden_dropout_prob", "dropout"},
                 {"attention_probs_dropout_prob", "attention_dropout"},
                 {"classifier_dropout", "seq_classif_dropout"},
                 {"hidden_act", "activation"},
                 {"layer_norm_eps", ""},
                 {"type_vocab_size", ""},
                 {"position_embedding_type", ""}},
      .harmless = {"qa_dropout", "tie_weights_"},
      .defaults = defaults};
}

ArchitectureRow roberta() {
  BertConfig defaults;
  defaults.architecture = Architecture::roberta;
  defaults.vocab_size = 50265;
  defaults.first_position = 2;
  return {.model_type = "roberta",
          .prefix = "roberta.",
          .classifier = "RobertaForSequenceClassification",
          .classes = {"RobertaForSequenceClassification", "RobertaModel", "RobertaForMaskedLM",
                      "RobertaForTokenClassification", "RobertaForQuestionAnswering", "RobertaForMultipleChoice"},
          .tensors = {{"bert.pooler.dense.", "classifier.dense."},
                      {"classifier.", "classifier.out_proj."},
                      {"bert.", "roberta."}},
          .fields = {},
          .harmless = {},
          .defaults = defaults};
}

ArchitectureRow electra() {
  BertConfig defaults;
  defaults.architecture = Architecture::electra;
  defaults.embedding_size = 128;
  defaults.hidden_size = 256;
  defaults.num_attention_heads = 4;
  defaults.intermediate_size = 1024;
  return {.model_type = "electra",
          .prefix = "electra.",
          .classifier = "ElectraForSequenceClassification",
          .classes = {"ElectraForSequenceClassification", "ElectraModel", "ElectraForPreTraining", "ElectraForMaskedLM",
                      "ElectraForTokenClassification", "ElectraForQuestionAnswering", "ElectraForMultipleChoice"},
          .tensors = {{"bert.pooler.dense.", "classifier.dense."},
                      {"classifier.", "classifier.out_proj."},
                      {"bert.", "electra."}},
          .fields = {},
          .harmless = {"summary_type", "summary_use_proj", "summary_activation", "summary_last_dropout"},
          .defaults = defaults};
}

const std::array<ArchitectureRow, 4>& table() {
  static const std::array<ArchitectureRow, 4> rows = {bert(), distilbert(), roberta(), electra()};
  return rows;
}

// The name with the pattern at its beginning replaced; nothing where it does not begin so.
std::optional<std::string> replaced(const std::string& name, const Renamed& row) {
  const size_t at = row.own.find('#');
  if (at == std::string_view::npos)
    return name.starts_with(row.own) ? std::optional(std::string(row.theirs) + name.substr(row.own.size()))
                                     : std::nullopt;
  if (!name.starts_with(row.own.substr(0, at))) return std::nullopt;
  size_t end = at;
  while (end < name.size() && std::isdigit(static_cast<unsigned char>(name[end])) != 0) ++end;
  const std::string_view rest = row.own.substr(at + 1);
  if (end == at || name.compare(end, rest.size(), rest) != 0) return std::nullopt;
  std::string theirs(row.theirs);
  return theirs.replace(theirs.find('#'), 1, name, at, end - at) + name.substr(end + rest.size());
}

}  // namespace

const ArchitectureRow& row_of(Architecture architecture) { return table()[static_cast<size_t>(architecture)]; }

Architecture architecture_of(const std::string& model_type, const std::string& source) {
  std::string types;
  for (size_t i = 0; i < table().size(); ++i) {
    if (table()[i].model_type == model_type) return static_cast<Architecture>(i);
    types += (i == 0 ? "" : ", ") + std::string(table()[i].model_type);
  }
  fail(source, ": model_type is ", quoted(model_type), ", an encoder that is not supported; expected one of ", types);
}

std::string name_in_transformers(Architecture architecture, const std::string& own) {
  for (const Renamed& row : row_of(architecture).tensors)
    if (auto name = replaced(own, row)) return *name;
  return own;
}

std::string_view field_in_transformers(Architecture architecture, std::string_view own) {
  const auto& fields = row_of(architecture).fields;
  const auto found = std::ranges::find(fields, own, &Renamed::own);
  return found == fields.end() ? own : found->theirs;
}

}  // namespace espalier
