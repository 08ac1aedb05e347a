// SPDX-License-Identifier: Apache-2.0
// config.json in both directions.
#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "core/check.h"
#include "data/files/json_file.h"
#include "data/models/architectures.h"
#include "data/models/hf.h"
#include "data/models/hf_fields.h"
#include "nn/heads/heads.h"

namespace espalier {
namespace {

using Json = nlohmann::json;

// Reads fields of a config.json, by BERT's names, over the values that they have.
struct Fields {
  const Json& json;
  const std::string& source;
  Architecture architecture = Architecture::bert;

  std::string_view called(const char* name) const { return field_in_transformers(architecture, name); }
  const Json* find(const char* name) const {
    const auto found = json.find(called(name));
    return found == json.end() || found->is_null() ? nullptr : &*found;
  }
  [[noreturn]] void wrong(const char* name, const char* expected) const {
    fail(source, ": ", called(name), " is ", find(name)->dump().substr(0, 60), "; expected ", expected);
  }
  void read(const char* name, int64_t& value) const {
    const Json* const found = find(name);
    if (found == nullptr) return;
    if (!found->is_number_integer()) wrong(name, "a whole number");
    value = found->get<int64_t>();
  }
  void read(const char* name, float& value) const {
    const Json* const found = find(name);
    if (found == nullptr) return;
    if (!found->is_number()) wrong(name, "a number");
    value = found->get<float>();
  }
  // The field must be absent or have that value.
  void require(const char* name, const Json& value, const char* remedy) const {
    const Json* const found = find(name);
    CHECK(found == nullptr || *found == value, source, ": ", called(name), " is ", found->dump().substr(0, 60),
          "; expected ", value.dump(), ": ", remedy);
  }
};

// Names in the order of their numbers: id2label, else label2id, else LABEL_0, LABEL_1, … as many as num_labels. A
// label2id that contradicts id2label does not count, as in transformers.
std::vector<std::string> read_labels(const Fields& fields) {
  std::vector<std::string> labels;
  const auto place = [&](const char* field, int64_t count, const std::string& name, int64_t id) {
    labels.resize(static_cast<size_t>(count));
    CHECK(id >= 0 && id < count && labels[static_cast<size_t>(id)].empty() && !name.empty(), fields.source, ": ", field,
          " gives the label ", Json(name).dump(), " the number ", id, "; expected 0 … ", count - 1, ", each once");
    labels[static_cast<size_t>(id)] = name;
  };
  if (const Json* const by_id = fields.find("id2label")) {
    if (!by_id->is_object()) fields.wrong("id2label", "an object of names");
    for (const auto& [id, name] : by_id->items()) {
      const bool number = !id.empty() && id.size() < 9 &&
                          std::all_of(id.begin(), id.end(), [](char c) { return c >= '0' && c <= '9'; });
      CHECK(number && name.is_string(), fields.source, ": id2label has ", Json(id).dump(), ": ",
            name.dump().substr(0, 60), "; expected a number and a name");
      place("id2label", std::ssize(*by_id), name.get<std::string>(), std::stol(id));
    }
  } else if (const Json* const by_name = fields.find("label2id")) {
    if (!by_name->is_object()) fields.wrong("label2id", "an object of numbers");
    for (const auto& [name, id] : by_name->items()) {
      if (!id.is_number_integer()) fields.wrong("label2id", "an object of numbers");
      place("label2id", std::ssize(*by_name), name, id.get<int64_t>());
    }
  }
  int64_t count = labels.empty() ? 2 : std::ssize(labels);
  fields.read("num_labels", count);
  CHECK(count >= 1 && count <= 100'000, fields.source, ": num_labels is ", count, "; expected 1 … 100000");
  CHECK(labels.empty() || count == std::ssize(labels), fields.source, ": num_labels is ", count, ", but ",
        labels.size(), " labels are named; remove one of the two");
  for (int64_t i = std::ssize(labels); i < count; ++i) labels.push_back("LABEL_" + std::to_string(i));
  const std::set<std::string> distinct(labels.begin(), labels.end());
  CHECK(distinct.size() == labels.size(), fields.source, ": a label is named twice; expected different names");
  return labels;
}

// What pruning has left of each layer.
void read_pruned_layers(const Fields& fields, BertConfig& config) {
  const Json* const layers = fields.find("pruned_layers");
  if (layers == nullptr) return;
  if (!layers->is_array()) fields.wrong("pruned_layers", "a list with an object for each layer");
  for (const Json& layer : *layers) {
    if (!layer.is_object()) fields.wrong("pruned_layers", "a list with an object for each layer");
    const Fields one{layer, fields.source};
    one.read("attention_heads", config.layer_heads.emplace_back(config.num_attention_heads));
    one.read("intermediate_size", config.layer_intermediate.emplace_back(config.intermediate_size));
  }
}

// The task: `head`, or what transformers calls it, problem_type. Where nothing is said, one label means regression, as
// in transformers.
void read_task(const Fields& fields, BertConfig& config) {
  const Json *const head = fields.find("head"), *const problem = fields.find("problem_type");
  if (head != nullptr && !head->is_string()) fields.wrong("head", "the name of a task");
  if (problem != nullptr && !problem->is_string()) fields.wrong("problem_type", "a text");
  if (problem != nullptr) config.head = head_of_problem(problem->get<std::string>(), fields.source).name;
  if (head != nullptr) {
    const HeadRow& row = head_named(head->get<std::string>(), fields.source);
    CHECK(problem == nullptr || config.head == row.name, fields.source, ": head is ", row.name, " and problem_type is ",
          problem->dump(), "; expected the same task");
    config.head = row.name;
  }
  if (config.classes() > 1) return;
  if (head == nullptr && problem == nullptr) config.head = "regression";
  CHECK(config.head != BertConfig{}.head, fields.source, ": one label and problem_type ",
        head_named(config.head, fields.source).problem_type,
        ": the answer would always be that label; expected at least two labels, or \"regression\"");
}

// The class of transformers that wrote the file; empty where it is not named.
std::string read_class(const Fields& fields) {
  const Json* const list = fields.find("architectures");
  if (list == nullptr) return "";
  const ArchitectureRow& row = row_of(fields.architecture);
  if (!list->is_array()) fields.wrong("architectures", "a list with the name of a class");
  for (const Json& name : *list) {
    if (!name.is_string() || std::ranges::find(row.classes, name.get<std::string>()) == row.classes.end())
      fields.wrong("architectures", ("one of model_type " + std::string(row.model_type) + ", such as " +
                                     std::string(row.classifier) + " or " + std::string(row.classes[1]))
                                        .c_str());
  }
  return list->empty() ? "" : list->front().get<std::string>();
}

Architecture read_architecture(const Json& json, const std::string& source) {
  const Json type = json.value("model_type", Json());
  if (type.is_null()) return Architecture::bert;
  CHECK(type.is_string(), source, ": model_type is ", type.dump().substr(0, 60), "; expected a name such as \"bert\"");
  return architecture_of(type.get<std::string>(), source);
}

// What transformers calls the functions: gelu_python is the exact GELU, gelu_pytorch_tanh the same as gelu_new.
constexpr struct {
  const char* name;
  Activation activation;
} activations[] = {{"gelu", Activation::gelu},          {"gelu_python", Activation::gelu},
                   {"relu", Activation::relu},          {"gelu_new", Activation::gelu_new},
                   {"silu", Activation::silu},          {"swish", Activation::silu},
                   {"gelu_fast", Activation::gelu_new}, {"gelu_pytorch_tanh", Activation::gelu_new}};

void read_activation(const Fields& fields, BertConfig& config) {
  const Json* const found = fields.find("hidden_act");
  if (found == nullptr) return;
  const auto* const row = std::ranges::find_if(activations, [&](const auto& r) { return *found == r.name; });
  if (row == std::end(activations)) fields.wrong("hidden_act", "gelu, relu, gelu_new or silu");
  config.activation = row->activation;
}

// RoBERTa counts positions from behind the number of its padding token.
void read_first_position(const Fields& fields, BertConfig& config) {
  if (config.architecture != Architecture::roberta) return;
  int64_t padding = config.first_position - 1;
  fields.read("pad_token_id", padding);
  CHECK(padding >= 0 && padding < config.vocab_size, fields.source, ": pad_token_id is ", padding,
        "; expected a token, which decides where positions begin");
  config.first_position = padding + 1;
}

}  // namespace

BertConfig config_from_json(const Json& json, const std::string& source) {
  CHECK(json.is_object(), source, ": holds a JSON ", json.type_name(), "; expected an object");
  const Fields fields{json, source, read_architecture(json, source)};
  BertConfig config = row_of(fields.architecture).defaults;
  refuse_other_models(json, config, source);
  fields.require("position_embedding_type", "absolute", "only absolute positions are supported");
  read_activation(fields, config);
  fields.read("vocab_size", config.vocab_size);
  fields.read("hidden_size", config.hidden_size);
  fields.read("num_hidden_layers", config.num_hidden_layers);
  fields.read("num_attention_heads", config.num_attention_heads);
  fields.read("intermediate_size", config.intermediate_size);
  if (config.architecture == Architecture::electra) fields.read("embedding_size", config.embedding_size);
  fields.read("max_position_embeddings", config.max_position_embeddings);
  fields.read("type_vocab_size", config.type_vocab_size);
  fields.read("layer_norm_eps", config.layer_norm_eps);
  fields.read("hidden_dropout_prob", config.hidden_dropout_prob);
  fields.read("attention_probs_dropout_prob", config.attention_probs_dropout_prob);
  fields.read("classifier_dropout", config.classifier_dropout);
  fields.read("initializer_range", config.initializer_range);
  read_first_position(fields, config);
  config.labels = read_labels(fields);
  read_task(fields, config);
  read_pruned_layers(fields, config);
  config.check(source);
  return config;
}

HfConfig read_config(const std::filesystem::path& directory) {
  const auto path = directory / "config.json";
  const Json json = read_object(path);
  HfConfig config{.model = config_from_json(json, path.string()), .class_name = {}, .unknown = {}};
  const Fields fields{json, path.string(), config.model.architecture};
  config.class_name = read_class(fields);
  config.unknown = unknown_fields(json, config.model.architecture);
  config.names_task = fields.find("head") != nullptr || fields.find("problem_type") != nullptr;
  return config;
}

Json config_to_json(const BertConfig& c) {
  Json id2label = Json::object(), label2id = Json::object();
  for (size_t i = 0; i < c.labels.size(); ++i) {
    id2label[std::to_string(i)] = c.labels[i];
    label2id[c.labels[i]] = i;
  }
  const HeadRow& head = head_named(c.head, "config");
  const ArchitectureRow& row = row_of(c.architecture);
  Json json = {{"architectures", {*head.class_name != 0 ? std::string_view(head.class_name) : row.classifier}},
               {"problem_type", head.problem_type},
               {"model_type", row.model_type},
               {"hidden_act", name_of(c.activation)},
               {"position_embedding_type", "absolute"},
               {"pad_token_id", std::max<int64_t>(0, c.first_position - 1)},
               {"vocab_size", c.vocab_size},
               {"hidden_size", c.hidden_size},
               {"num_hidden_layers", c.num_hidden_layers},
               {"num_attention_heads", c.num_attention_heads},
               {"intermediate_size", c.intermediate_size},
               {"max_position_embeddings", c.max_position_embeddings},
               {"type_vocab_size", c.type_vocab_size},
               {"layer_norm_eps", shortest(c.layer_norm_eps)},
               {"hidden_dropout_prob", shortest(c.hidden_dropout_prob)},
               {"attention_probs_dropout_prob", shortest(c.attention_probs_dropout_prob)},
               {"classifier_dropout", c.classifier_dropout < 0 ? Json() : Json(shortest(c.classifier_dropout))},
               {"initializer_range", shortest(c.initializer_range)},
               {"id2label", id2label},
               {"label2id", label2id}};
  if (c.architecture == Architecture::electra) json["embedding_size"] = c.embedding_width();
  for (const auto& [own, theirs] : row.fields) {
    if (!theirs.empty()) json[theirs] = json.at(own);
    json.erase(own);
  }
  if (c.head != BertConfig{}.head) json["head"] = c.head;
  if (*head.problem_type == 0) json.erase("problem_type");
  if (c.layer_heads.empty() && c.layer_intermediate.empty()) return json;
  for (int64_t i = 0; i < c.num_hidden_layers; ++i)
    json["pruned_layers"].push_back({{"attention_heads", c.heads_of(i)}, {"intermediate_size", c.intermediate_of(i)}});
  return json;
}

}  // namespace espalier
