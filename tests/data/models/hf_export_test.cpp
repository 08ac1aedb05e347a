// SPDX-License-Identifier: Apache-2.0
#include "data/models/hf_export.h"

#include <nlohmann/json.hpp>

#include "data/models/model_files.h"
#include "data/models/safetensors.h"
#include "nn/integers.h"
#include "tests/data/models/checkpoint_file.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const fs::path golden = fs::path(ESPALIER_TESTS_DIR) / "golden" / "hf_model";

// Of checkpoint_file.h's configuration, after a change.
std::unique_ptr<Model> random_model(
    const std::function<void(BertConfig&)>& change = [](BertConfig&) {},
    const TokenizerOptions& options = contents().tokenizer) {
  BertConfig config = small_config();
  change(config);
  auto model = std::make_unique<Model>(config, Tokenizer(vocabulary(), options));
  model->store.allocate(7, 0.5F);
  model->source = "random";
  return model;
}

Tensor logits(const Model& model) {
  PackedBatch batch;
  batch.ids = model.tokenizer.encode("a fine films", 16).ids;
  batch.segments.assign(batch.ids.size(), 0);
  batch.offsets = {0, static_cast<int32_t>(batch.ids.size())};
  Context context;
  return (*model.bert)(batch, context).value;
}

class HfExport : public testing::Test {
 protected:
  // Exports, opens the directory and expects the same model.
  std::unique_ptr<Model> round_trip(const Model& model) const {
    const int64_t bytes = export_hf(model, directory_).bytes;
    int64_t there = 0, files = 0;
    for (const auto& entry : fs::directory_iterator(directory_)) {
      there += static_cast<int64_t>(entry.file_size());
      ++files;
    }
    EXPECT_EQ(bytes, there);
    EXPECT_EQ(files, 5);
    EXPECT_FALSE(fs::exists(part_));
    auto again = open_model(directory_.string(), {.seed = 99});
    EXPECT_TRUE(same_bits(again->store.values(), model.store.values()));
    EXPECT_TRUE(again->report.initialised.empty());
    EXPECT_EQ(config_to_json(again->config), config_to_json(simplest(model.config)));
    for (int64_t i = 0; i < model.config.num_hidden_layers; ++i) {
      EXPECT_EQ(again->config.heads_of(i), model.config.heads_of(i));
      EXPECT_EQ(again->config.intermediate_of(i), model.config.intermediate_of(i));
    }
    EXPECT_EQ(again->tokenizer.vocabulary(), model.tokenizer.vocabulary());
    EXPECT_EQ(again->tokenizer.options(), model.tokenizer.options());
    EXPECT_TRUE(same_bits(logits(*again), logits(model)));
    return again;
  }
  Json json(const char* file) const { return Json::parse(read_bytes(directory_ / file)); }
  std::string error(const Model& model) const {
    return error_of<Error>([&] { export_hf(model, directory_); });
  }

  TemporaryFolder folder_;
  fs::path directory_ = folder_ / "model", part_ = folder_ / "model.part";
};

TEST_F(HfExport, ARandomModelComesBack) {
  const auto model = random_model();
  round_trip(*model);
  EXPECT_EQ(obstacle_in_transformers(model->config), "");
  const Json config = json("config.json");
  EXPECT_EQ(config["id2label"], Json::parse(R"({"0": "bad", "1": "good"})"));
  EXPECT_EQ(config["label2id"], Json::parse(R"({"bad": 0, "good": 1})"));
  EXPECT_EQ(config["intermediate_size"], 12);
  EXPECT_FALSE(config.contains("pruned_layers"));
  const Json tokenizer = json("tokenizer_config.json");
  EXPECT_EQ(tokenizer["do_lower_case"], false);
  EXPECT_EQ(tokenizer["strip_accents"], true);
  EXPECT_EQ(tokenizer["tokenize_chinese_chars"], false);
  EXPECT_EQ(tokenizer["model_max_length"], 16);
  EXPECT_EQ(tokenizer["mask_token"], "[MASK]");
  EXPECT_EQ(tokenizer["added_tokens_decoder"]["6"]["content"], "fine");
  EXPECT_EQ(tokenizer["added_tokens_decoder"]["6"]["special"], true);
  EXPECT_EQ(tokenizer["added_tokens_decoder"]["6"]["rstrip"], true);
  EXPECT_EQ(tokenizer["model_input_names"], (Json{"input_ids", "attention_mask"}));
  EXPECT_EQ(Safetensors(directory_ / "model.safetensors").metadata().at("format"), "pt");
}

TEST_F(HfExport, WhatTransformersWroteComesBack) {
  const auto model = open_model(golden.string());
  round_trip(*model);
  const Json config = json("config.json"), original = Json::parse(read_bytes(golden / "config.json"));
  for (const char* field : {"hidden_size", "id2label", "pad_token_id", "vocab_size"})
    EXPECT_EQ(config[field], original[field]) << field;
  EXPECT_EQ(read_bytes(directory_ / "vocab.txt"), read_bytes(golden / "vocab.txt"));
}

TEST_F(HfExport, LayersOfDifferentShapesComeBack) {
  const auto heads = random_model([](BertConfig& c) {
    c.layer_heads = {2, 1};
    c.layer_intermediate = {5, 5};
  });
  round_trip(*heads);
  EXPECT_EQ(json("config.json")["pruned_layers"][1], Json::parse(R"({"attention_heads": 1, "intermediate_size": 5})"));
  EXPECT_EQ(obstacle_in_transformers(heads->config), "layer 1 has 1 of 2 heads");

  fs::remove_all(directory_);
  const auto widths = random_model([](BertConfig& c) { c.layer_intermediate = {5, 12}; });
  round_trip(*widths);
  EXPECT_EQ(obstacle_in_transformers(widths->config), "layer 1 has 12 feed-forward neurons, layer 0 5");
}

TEST_F(HfExport, AWidthThatAllLayersShareNeedsNoFieldOfItsOwn) {
  const auto model = random_model([](BertConfig& c) {
    c.layer_heads = {2, 2};
    c.layer_intermediate = {5, 5};
  });
  round_trip(*model);
  EXPECT_EQ(obstacle_in_transformers(model->config), "");
  EXPECT_EQ(json("config.json")["intermediate_size"], 5);
  EXPECT_FALSE(json("config.json").contains("pruned_layers"));
}

TEST_F(HfExport, TheTokenizersDefaultsStayDefaults) {
  round_trip(*random_model([](BertConfig&) {}, {}));
  EXPECT_TRUE(json("tokenizer_config.json")["strip_accents"].is_null());
  EXPECT_FALSE(json("tokenizer_config.json").contains("added_tokens_decoder"));
}

TEST_F(HfExport, Int8BecomesTheNumbersThatItStandsForAndTheScalesAreKept) {
  const auto model = random_model();
  const auto make_int8 = [&](const char* name, std::optional<QuantGrid> input, bool products) {
    Parameter& p = model->store.at(name);
    auto [q, grid] = quantize_rows(p.value, 8);
    set_integers(p, std::make_shared<QuantizedWeight>(q, grid, 8, std::move(input), products));
    return grid;
  };
  make_int8("bert.embeddings.word_embeddings.weight", std::nullopt, false);
  make_int8("bert.encoder.layer.0.output.dense.weight", std::nullopt, true);
  const QuantGrid grid = make_int8("bert.pooler.dense.weight", affine_grid(-1, 3, 8), true);
  const Exported exported = export_hf(*model, directory_);
  EXPECT_EQ(exported.notes.at(1), "int8 weights became f32 numbers; their scales are in quantization.json");
  EXPECT_EQ(exported.warning, "");
  const auto again = open_model(directory_.string());
  EXPECT_TRUE(same_bits(again->store.values(), model->store.values()));

  const Json kept = json("quantization.json");
  const Json& pooler = kept["bert.pooler.dense.weight"];
  EXPECT_EQ(kept.size(), 3U);
  EXPECT_EQ(pooler["bits"], 8);
  EXPECT_EQ(pooler["scale"].get<std::vector<float>>(),
            std::vector<float>(grid.scale.span<float>().begin(), grid.scale.span<float>().end()));
  EXPECT_EQ(pooler["input"]["zero_point"], 64);
  EXPECT_EQ(pooler["input"]["scale"].get<float>(), 4.0F / 255);
  EXPECT_EQ(pooler["input"]["low"], 0);
  EXPECT_EQ(pooler["input"]["high"], 255);
  EXPECT_EQ(kept["bert.encoder.layer.0.output.dense.weight"]["input"], "dynamic");
  EXPECT_FALSE(kept["bert.embeddings.word_embeddings.weight"].contains("input"));
}

TEST_F(HfExport, TokenizerJsonIsTheWholeTokenizer) {
  round_trip(*random_model());
  const Json tokenizer = json("tokenizer.json");
  EXPECT_EQ(tokenizer["model"]["vocab"].size(), vocabulary().size());
  EXPECT_EQ(tokenizer["model"]["vocab"]["##s"], 8);
  EXPECT_EQ(tokenizer["normalizer"]["lowercase"], false);
  EXPECT_EQ(tokenizer["normalizer"]["strip_accents"], true);
  EXPECT_EQ(tokenizer["normalizer"]["handle_chinese_chars"], false);
  EXPECT_EQ(tokenizer["added_tokens"].size(), 7U);  // the five special ones, fine and film
  EXPECT_EQ(tokenizer["added_tokens"][5], Json::parse(R"({"content": "fine", "id": 6, "lstrip": false,
            "normalized": false, "rstrip": true, "single_word": false, "special": true})"));
  // Where tokenizer_config.json asks for it as a whole, it alone gives the same.
  Json config = json("tokenizer_config.json");
  for (const char* const field : {"do_lower_case", "strip_accents", "tokenize_chinese_chars", "added_tokens_decoder"})
    config.erase(field);
  config["tokenizer_class"] = "PreTrainedTokenizerFast";
  write_bytes(directory_ / "tokenizer_config.json", config.dump());
  fs::remove(directory_ / "vocab.txt");
  const Tokenizer again = Tokenizer::from_directory(directory_);
  EXPECT_EQ(again.vocabulary(), vocabulary());
  EXPECT_EQ(again.options(), contents().tokenizer);
}

TEST_F(HfExport, OnlyANewOrEmptyDirectoryIsWritten) {
  const auto model = random_model();
  write_bytes(directory_, "x");
  expect_in(error(*model), "model: is a file; expected the name of a directory");
  fs::remove(directory_);
  fs::create_directory(directory_);
  write_bytes(directory_ / "notes", "x");
  expect_in(error(*model), "model: is a directory with files in it; expected a new or empty one");
  fs::remove(directory_ / "notes");

  fs::create_directory(part_);
  write_bytes(part_ / "notes", "x");
  expect_in(error(*model), "model.part: holds notes, which no export wrote");
  EXPECT_EQ(read_bytes(part_ / "notes"), "x");
  fs::remove(part_ / "notes");
  write_bytes(part_ / "vocab.txt", "left by a run that was killed");
  write_bytes(part_ / "model.safetensors.0123456789abcdef.part", "likewise");
  round_trip(*model);

  directory_ = folder_ / "missing" / "model";
  expect_in(error(*model), "model: cannot be made: there is no folder");
  directory_.clear();
  EXPECT_EQ(error(*model), "'': the name of a directory to write is expected");
}

}  // namespace
}  // namespace espalier
