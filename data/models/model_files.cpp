// SPDX-License-Identifier: Apache-2.0
#include "data/models/model_files.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "data/models/hf.h"
#include "data/models/tokenizer_export.h"

namespace espalier {
namespace {

using Json = nlohmann::json;

}  // namespace

BertConfig simplest(BertConfig config) {
  const auto all = [](const std::vector<int64_t>& values, int64_t value) {
    return std::ranges::all_of(values, [&](int64_t v) { return v == value; });
  };
  if (all(config.layer_heads, config.num_attention_heads)) config.layer_heads.clear();
  if (all(config.layer_intermediate, config.intermediate_of(0))) {
    config.intermediate_size = config.intermediate_of(0);
    config.layer_intermediate.clear();
  }
  return config;
}

std::map<std::string, std::string> model_files(const Model& model, const Json& more) {
  Json config = config_to_json(simplest(model.config));
  if (model.config.first_position == 0) config["pad_token_id"] = model.tokenizer.pad();  // else it decides positions
  config.update(more);
  std::map<std::string, std::string> files =
      tokenizer_files(model.tokenizer, model.source,
                      {.max_length = model.config.longest(), .segments = model.config.type_vocab_size > 0});
  files["config.json"] = config.dump(2) + '\n';
  return files;
}

bool is_exported_file(const std::string& name) {
  constexpr std::array<std::string_view, 11> names = {"config.json",
                                                      "vocab.txt",
                                                      "tokenizer.json",
                                                      "tokenizer_config.json",
                                                      "model.safetensors",
                                                      "quantization.json",
                                                      "vocab.json",
                                                      "merges.txt",
                                                      "onnx",
                                                      "model.onnx",
                                                      "model.onnx_data"};
  return std::ranges::find(names, name) != names.end();
}

}  // namespace espalier
