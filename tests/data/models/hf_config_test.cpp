// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <nlohmann/json.hpp>

#include "data/models/hf.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const fs::path golden = fs::path(ESPALIER_TESTS_DIR) / "golden";

Json config_json() { return Json::parse(read_bytes(golden / "hf_model" / "config.json")); }

TEST(HfConfig, ReadsEveryField) {
  const BertConfig c = read_config(golden / "hf_model").model;
  EXPECT_EQ(c.vocab_size, 25);
  EXPECT_EQ(c.hidden_size, 8);
  EXPECT_EQ(c.num_hidden_layers, 2);
  EXPECT_EQ(c.num_attention_heads, 2);
  EXPECT_EQ(c.intermediate_size, 12);
  EXPECT_EQ(c.max_position_embeddings, 20);
  EXPECT_EQ(c.type_vocab_size, 2);
  EXPECT_EQ(c.layer_norm_eps, 1e-6F);
  EXPECT_EQ(c.hidden_dropout_prob, 0.2F);
  EXPECT_EQ(c.attention_probs_dropout_prob, 0.05F);
  EXPECT_EQ(c.classifier_dropout, 0.3F);
  EXPECT_EQ(c.initializer_range, 0.3F);
  EXPECT_EQ(c.labels, (std::vector<std::string>{"negative", "neutral", "positive"}));
  const BertConfig defaults =
      config_from_json(Json::parse(R"({"classifier_dropout": null, "problem_type": "regression"})"), "x");
  EXPECT_EQ(defaults.hidden_size, 768);
  EXPECT_LT(defaults.classifier_dropout, 0);
  EXPECT_EQ(defaults.labels, (std::vector<std::string>{"LABEL_0", "LABEL_1"}));
  EXPECT_EQ(defaults.head, "regression");
}

TEST(HfConfig, ProblemTypeIsTheHead) {
  const auto head = [](const char* text) { return config_from_json(Json::parse(text), "x").head; };
  EXPECT_EQ(head(R"({"problem_type": null})"), "classification");
  EXPECT_EQ(head(R"({"problem_type": "single_label_classification"})"), "classification");
  EXPECT_EQ(head(R"({"problem_type": "multi_label_classification"})"), "multi-label");
  EXPECT_EQ(head(R"({"num_labels": 1})"), "regression") << "as transformers takes it";
  EXPECT_EQ(head(R"({"problem_type": "multi_label_classification", "num_labels": 1})"), "multi-label");
  for (const char* task : {"regression", "multi-label", "classification"}) {
    BertConfig config;
    config.head = task;
    EXPECT_EQ(config_from_json(config_to_json(config), "x").head, task);
  }
}

TEST(HfConfig, FieldsAreReadKnownOrNamed) {
  const TemporaryFolder folder;
  const auto unknown = [&](const char* change) {
    Json json = config_json();
    json.merge_patch(Json::parse(change));
    write_bytes(folder / "config.json", json.dump());
    return read_config(folder.path()).unknown;
  };
  using Fields = std::vector<std::string>;
  EXPECT_EQ(unknown("{}"), Fields()) << "what transformers writes is all known";
  EXPECT_EQ(unknown(R"({"torch_dtype": "float16", "use_cache": false, "finetuning_task": "sst-2", "pruned_heads": {},
                        "position_embedding_type": "absolute", "pooler_type": "first_token_transform"})"),
            Fields());
  EXPECT_EQ(unknown(R"({"logit_scale": 2, "class_weights": [1, 2, 3]})"), (Fields{"class_weights", "logit_scale"}));
  EXPECT_EQ(unknown(R"({"pruned_layers": [{"attention_heads": 2}, {"ffn": 7}]})"), (Fields{"pruned_layers[1].ffn"}));
  EXPECT_EQ(unknown(R"({"label2id": {"negative": 2, "positive": 0}})"), (Fields{"label2id (id2label says otherwise)"}));
  EXPECT_EQ(read_config(golden / "hf_model").class_name, "BertForSequenceClassification");
}

TEST(HfConfig, WritesWhatItReads) {
  const BertConfig c = read_config(golden / "hf_model").model;
  const Json written = config_to_json(c), original = config_json();
  for (const char* field :
       {"architectures", "attention_probs_dropout_prob", "classifier_dropout", "hidden_act", "hidden_dropout_prob",
        "hidden_size", "id2label", "initializer_range", "intermediate_size", "label2id", "layer_norm_eps",
        "max_position_embeddings", "model_type", "num_attention_heads", "num_hidden_layers", "pad_token_id",
        "type_vocab_size", "vocab_size"})
    EXPECT_EQ(written[field].dump(), original[field].dump()) << field;
  EXPECT_EQ(config_to_json(config_from_json(written, "x")).dump(), written.dump());
  EXPECT_TRUE(config_to_json(BertConfig{})["classifier_dropout"].is_null());
}

TEST(HfConfig, LabelsComeInTheOrderOfTheirNumbers) {
  const auto labels = [](const char* text) { return config_from_json(Json::parse(text), "x").labels; };
  using Labels = std::vector<std::string>;
  EXPECT_EQ(labels(R"({"num_labels": 3})"), (Labels{"LABEL_0", "LABEL_1", "LABEL_2"}));
  EXPECT_EQ(labels(R"({"label2id": {"a": 2, "b": 0, "c": 1}})"), (Labels{"b", "c", "a"}));
  EXPECT_EQ(labels(R"({"id2label": {"1": "neg", "0": "pos"}, "label2id": {"neg": 0, "pos": 1}})"),
            (Labels{"pos", "neg"}));
  Json many;
  for (int i = 0; i < 12; ++i) many["id2label"][std::to_string(i)] = "l" + std::to_string(i);
  EXPECT_EQ(config_from_json(many, "x").labels[10], "l10");  // by number, not by text
}

TEST(HfConfig, WhatIsWrongIsNamed) {
  const auto error = [](const std::string& change) {
    Json json = config_json();
    json.merge_patch(Json::parse(change));
    return error_of<Error>([&] { config_from_json(json, "config.json"); });
  };
  EXPECT_EQ(error("{}"), "no error");
  EXPECT_EQ(error(R"({"hidden_act": "gelu_python"})"), "no error") << "the exact GELU by another name";
  EXPECT_EQ(error(R"({"model_type": "deberta"})"),
            "config.json: model_type is 'deberta', an encoder that is not supported; expected one of bert, distilbert, "
            "roberta, electra");
  expect_in(error(R"({"is_decoder": true})"), "is_decoder is true");
  expect_in(error(R"({"hidden_act": "quick_gelu"})"), "hidden_act is \"quick_gelu\"; expected gelu, relu, gelu_new or");
  expect_in(error(R"({"position_embedding_type": "relative_key"})"), "position_embedding_type is \"relative_key\"");
  expect_in(error(R"({"hidden_size": "8"})"), "hidden_size is \"8\"; expected a whole number");
  expect_in(error(R"({"hidden_size": 8.0})"), "hidden_size is 8.0; expected a whole number");
  expect_in(error(R"({"hidden_size": 9})"), "hidden_size 9 is not a multiple of num_attention_heads 2");
  expect_in(error(R"({"vocab_size": 18446744073709551615})"), "vocab_size is -1");
  expect_in(error(R"({"layer_norm_eps": "small"})"), "layer_norm_eps is \"small\"; expected a number");
  expect_in(error(R"({"hidden_dropout_prob": 1})"), "hidden_dropout_prob is 1");
  for (const auto& [change, part] : std::map<std::string, std::string>{
           {R"({"add_cross_attention": true})", "add_cross_attention is true: cross-attention, which is not supported"},
           {R"({"is_encoder_decoder": true})", "is_encoder_decoder is true"},
           {R"({"pruned_heads": {"0": [1]}})", "pruned_heads is {\"0\":[1]}"},
           {R"({"quantization_config": {"bits": 8}})", "quantization_config is {\"bits\":8}: quantized weights"},
           {R"({"auto_map": {"AutoModel": "m.M"}})", "auto_map"},
           {R"({"rope_theta": 10000.0})", "rope_theta is 10000.0: rotary positions"},
           {R"({"embedding_size": 4})", "embedding_size is 4: embeddings of another width"},
           {R"({"pooler_type": "mean"})", "pooler_type is \"mean\": another pooler"},
           {R"({"tokenizer_class": "BertJapaneseTokenizer"})", "tokenizer_class is \"BertJapaneseTokenizer\""},
           {R"({"problem_type": "ranking"})", "problem_type is 'ranking', expected one of single_label_classification"},
           {R"({"problem_type": 3})", "problem_type is 3"},
           {R"({"head": "multi-label", "problem_type": "regression"})", "head is multi-label and problem_type is"},
           {R"({"id2label": null, "label2id": null, "num_labels": 1, "problem_type": "single_label_classification"})",
            "the answer would always be that label"}})
    expect_in(error(change), part);
  expect_in(error(R"({"head": "poetry"})"),
            "config.json: head is 'poetry', expected one of classification, regression");
  expect_in(error(R"({"head": 5})"), "config.json: head is 5; expected the name of a task");
  expect_in(error(R"({"num_labels": 2})"), "num_labels is 2, but 3 labels are named");
  expect_in(error(R"({"num_labels": 1000000})"), "num_labels is 1000000");
  expect_in(error(R"({"id2label": {"0": "positive"}})"), "a label is named twice");
  expect_in(error(R"({"id2label": {"0": null, "3": "x"}})"), "gives the label \"x\" the number 3; expected 0 … 2");
  expect_in(error(R"({"id2label": {"00": "x"}})"), "expected 0 … 3, each once");
  expect_in(error(R"({"id2label": {"one": "x"}})"), "id2label has \"one\": \"x\"");
  expect_in(error(R"({"id2label": {"1": 5}})"), "id2label has \"1\": 5");
  expect_in(error(R"({"id2label": ["a", "b"]})"), "expected an object of names");
  expect_in(error(R"({"id2label": null, "label2id": {"negative": 1}})"), "expected 0 … 2, each once");
  expect_in(error(R"({"id2label": null, "label2id": {"negative": "0"}})"), "expected an object of numbers");
  expect_in(error_of<Error>([] { config_from_json(Json::array(), "x"); }), "x: holds a JSON array");
}

TEST(HfConfig, AFileThatIsNoConfigIsNamed) {
  const TemporaryFolder folder;
  expect_in(error_of<Error>([&] { read_config(folder.path()); }), "config.json: cannot be opened: No such file");
  write_bytes(folder / "config.json", "{\"a\": ");
  expect_in(error_of<Error>([&] { read_config(folder.path()); }), "config.json: is not JSON at byte 7");
  write_bytes(folder / "config.json", "{\"layer_norm_eps\": 1e999}");
  expect_in(error_of<Error>([&] { read_config(folder.path()); }), "config.json: holds a number that is too large");
  write_bytes(folder / "config.json", "[]");
  expect_in(error_of<Error>([&] { read_config(folder.path()); }), "holds a JSON array");
  write_bytes(folder / "config.json", std::string((4 << 20) + 1, '['));
  expect_in(error_of<Error>([&] { read_config(folder.path()); }), "at most 4194304 are read");
}

}  // namespace
}  // namespace espalier
