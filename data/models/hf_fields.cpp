// SPDX-License-Identifier: Apache-2.0
#include "data/models/hf_fields.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "core/check.h"
#include "data/models/architectures.h"

namespace espalier {
namespace {

using Json = nlohmann::json;
using FieldNames = std::vector<std::string_view>;

// Read by config_from_json, or checked below.
const FieldNames& read_fields() {
  static const FieldNames names = {"model_type",
                                   "architectures",
                                   "vocab_size",
                                   "hidden_size",
                                   "num_hidden_layers",
                                   "num_attention_heads",
                                   "intermediate_size",
                                   "max_position_embeddings",
                                   "type_vocab_size",
                                   "layer_norm_eps",
                                   "hidden_dropout_prob",
                                   "attention_probs_dropout_prob",
                                   "classifier_dropout",
                                   "initializer_range",
                                   "hidden_act",
                                   "position_embedding_type",
                                   "head",
                                   "problem_type",
                                   "num_labels",
                                   "id2label",
                                   "label2id",
                                   "pruned_layers"};
  return names;
}

// What changes nothing for an encoder with a head, by the reason.
const std::map<std::string_view, FieldNames>& harmless_fields() {
  static const std::map<std::string_view, FieldNames> fields = {
      {"cache", {"use_cache", "output_past"}},
      {"outputs",
       {"output_attentions", "output_hidden_states", "return_dict", "use_return_dict", "output_scores",
        "return_dict_in_generate"}},
      {"versions",
       {"transformers_version", "_name_or_path", "name_or_path", "_commit_hash", "sentence_transformers",
        "finetuning_task", "language", "model_name"}},
      {"precision", {"dtype", "torch_dtype", "use_bfloat16"}},
      {"implementation",
       {"attn_implementation", "_attn_implementation", "_attn_implementation_internal", "_attn_implementation_autoset",
        "_experts_implementation", "torchscript", "xla_device", "tf_legacy_loss"}},
      {"memory", {"chunk_size_feed_forward", "gradient_checkpointing", "low_cpu_mem_usage"}},
      {"tying", {"tie_word_embeddings", "tie_encoder_decoder"}},  // of heads that predict words
      {"training", {"initializer_factor"}},
      {"ids",  // of tokens, which the tokenizer knows
       {"pad_token_id", "bos_token_id", "eos_token_id", "sep_token_id", "cls_token_id", "mask_token_id", "unk_token_id",
        "decoder_start_token_id"}},
      {"pooler",  // of TensorFlow's BERT, which never read them
       {"pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head"}},
      {"generation",
       {"max_length",
        "min_length",
        "do_sample",
        "early_stopping",
        "num_beams",
        "num_beam_groups",
        "diversity_penalty",
        "temperature",
        "top_k",
        "top_p",
        "typical_p",
        "repetition_penalty",
        "length_penalty",
        "no_repeat_ngram_size",
        "encoder_no_repeat_ngram_size",
        "bad_words_ids",
        "num_return_sequences",
        "forced_bos_token_id",
        "forced_eos_token_id",
        "remove_invalid_values",
        "exponential_decay_length_penalty",
        "suppress_tokens",
        "begin_suppress_tokens",
        "prefix",
        "task_specific_params"}}};
  return fields;
}

// Fields that must be absent or say nothing, and what they stand for.
const std::map<std::string_view, std::string_view>& refused_fields() {
  static const std::map<std::string_view, std::string_view> fields = {
      {"is_decoder", "a decoder"},
      {"is_encoder_decoder", "an encoder with a decoder"},
      {"add_cross_attention", "cross-attention"},
      {"cross_attention_hidden_size", "cross-attention"},
      {"pruned_heads", "heads that transformers pruned"},
      {"quantization_config", "quantized weights"},
      {"compression_config", "quantized weights"},
      {"auto_map", "code of the model's own"},
      {"adapters", "adapters that are not merged"},
      {"adapter_fusion", "adapters that are not merged"},
      {"peft_config", "adapters that are not merged"},
      {"prediction_heads", "heads of its own"},
      {"rope_theta", "rotary positions"},
      {"rope_scaling", "rotary positions"},
      {"rope_parameters", "rotary positions"},
      {"rotary_value", "rotary positions"},
      {"rotary_emb_base", "rotary positions"},
      {"rotary_emb_fraction", "rotary positions"},
      {"relative_attention", "relative positions"},
      {"relative_attention_num_buckets", "relative positions"},
      {"relative_attention_max_distance", "relative positions"},
      {"max_relative_positions", "relative positions"},
      {"alibi_starting_size", "relative positions"},
      {"use_alibi", "relative positions"},
      {"sliding_window", "attention in windows"},
      {"local_attention", "attention in windows"},
      {"attention_window", "attention in windows"},
      {"prenorm", "layer norms before the layers"},
      {"normalize_before", "layer norms before the layers"},
      {"use_rms_norm", "another kind of layer norm"},
      {"rms_norm_eps", "another kind of layer norm"},
      {"use_glu", "a gated feed-forward part"},
      {"summary_type", "another pooler"},
      {"sinusoidal_pos_embds", "positions that training leaves as they are"}};
  return fields;
}

// null, false, 0, "" and what consists of nothing else.
bool says_nothing(const Json& value) {
  if (value.is_structured()) return std::ranges::all_of(value, says_nothing);
  return value.is_null() || value == false || value == 0 || value == Json("");
}

std::string excerpt(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 60);
}

// The fields that an architecture calls otherwise are known by its names only.
bool is_known(std::string_view name, Architecture architecture) {
  const auto has = [&](const FieldNames& names) { return std::ranges::find(names, name) != names.end(); };
  for (const auto& [own, theirs] : row_of(architecture).fields)
    if (name == own || name == theirs) return name == theirs;
  return has(row_of(architecture).harmless) || has(read_fields()) || refused_fields().contains(name) ||
         name == "embedding_size" || name == "head_dim" || name == "attention_head_size" || name == "pooler_type" ||
         name == "directionality" || name == "tokenizer_class" ||
         std::ranges::any_of(harmless_fields(), [&](const auto& row) { return has(row.second); });
}

// The field must be absent, null, or one of these values.
void require(const Json& json, const char* name, const std::vector<Json>& allowed, const char* what,
             const std::string& source) {
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return;
  CHECK(std::ranges::find(allowed, *found) != allowed.end(), source, ": ", name, " is ", excerpt(*found), ": ", what,
        ", which is not supported; expected ", excerpt(allowed.front()));
}

// Whether label2id has another name, or another number of a name, than id2label.
bool contradicts(const Json& by_id, const Json& by_name) {
  if (!by_id.is_object() || !by_name.is_object()) return false;
  Json expected = Json::object();
  for (const auto& [id, name] : by_id.items())
    if (name.is_string()) expected[name.get<std::string>()] = id;
  for (const auto& [name, id] : by_name.items())
    if (!expected.contains(name) || !id.is_number_integer() || expected[name] != id.dump()) return true;
  return expected.size() != by_name.size();
}

}  // namespace

void refuse_other_models(const Json& json, const BertConfig& defaults, const std::string& source) {
  const ArchitectureRow& row = row_of(defaults.architecture);
  for (const auto& [name, what] : refused_fields())
    if (const auto found = json.find(name);
        found != json.end() && std::ranges::find(row.harmless, name) == row.harmless.end())
      CHECK(says_nothing(*found), source, ": ", name, " is ", excerpt(*found), ": ", what,
            ", which is not supported; expected an encoder without it");
  for (const auto& [own, theirs] : row.fields)
    CHECK(theirs.empty() || !json.contains(own), source, ": has ", own, ", which a ", row.model_type, " calls ", theirs,
          "; rename it, or remove it where both are there");
  const auto number = [&](const char* own, int64_t otherwise) {
    const Json value = json.value(field_in_transformers(defaults.architecture, own), Json(otherwise));
    return value.is_number_integer() ? value.get<int64_t>() : 0;
  };
  const int64_t width = number("hidden_size", defaults.hidden_size),
                heads = number("num_attention_heads", defaults.num_attention_heads);
  const int64_t head = heads > 0 ? width / heads : 0;
  if (defaults.architecture != Architecture::electra)
    require(json, "embedding_size", {width}, "embeddings of another width than the layers", source);
  require(json, "head_dim", {head}, "another size of attention heads", source);
  require(json, "attention_head_size", {head}, "another size of attention heads", source);
  require(json, "pooler_type", {"first_token_transform"}, "another pooler", source);
  require(json, "directionality", {"bidi"}, "attention in one direction", source);
  require(json, "tokenizer_class",
          {"BertTokenizer", "BertTokenizerFast", "PreTrainedTokenizerFast", "DistilBertTokenizer",
           "DistilBertTokenizerFast", "ElectraTokenizer", "ElectraTokenizerFast", "RobertaTokenizer",
           "RobertaTokenizerFast"},
          "another tokenizer", source);
}

std::vector<std::string> unknown_fields(const Json& json, Architecture architecture) {
  std::vector<std::string> unknown;
  for (const auto& [name, value] : json.items())
    if (!is_known(name, architecture)) unknown.push_back(name);
  if (const auto layers = json.find("pruned_layers"); layers != json.end() && layers->is_array())
    for (size_t i = 0; i < layers->size(); ++i)
      for (const auto& [name, value] : (*layers)[i].items())
        if (name != "attention_heads" && name != "intermediate_size")
          unknown.push_back("pruned_layers[" + std::to_string(i) + "]." + name);
  if (const auto by_id = json.find("id2label"), by_name = json.find("label2id");
      by_id != json.end() && by_name != json.end() && contradicts(*by_id, *by_name))
    unknown.push_back("label2id (id2label says otherwise)");
  return unknown;
}

}  // namespace espalier
