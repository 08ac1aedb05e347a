// SPDX-License-Identifier: Apache-2.0
#include "data/models/hf_export.h"

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>

#include "core/check.h"
#include "core/checksum.h"
#include "core/input_file.h"
#include "data/files/atomic_file.h"
#include "data/files/atomic_folder.h"
#include "data/files/json_file.h"
#include "data/models/architectures.h"
#include "data/models/model_files.h"
#include "data/models/safetensors.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int64_t largest_vocabulary = int64_t{64} << 20;  // bytes

// In the metadata of model.safetensors.
std::string vocabulary_key(const std::string& file) { return "checksum of " + file; }

const char *const weights_file = "model.safetensors", *const grids_file = "quantization.json";

// By the names of int8 parameters: bits, the scale of each row, and how the input becomes integers.
Json grids_of(const ParameterStore& store, Architecture architecture) {
  const auto all = [](const Tensor& values) {
    Json list = Json::array();
    for (const float v : values.span<float>()) list.push_back(shortest(v));
    return list;
  };
  Json grids = Json::object();
  for (const Parameter* p : store.all()) {
    const auto integers = p->integers();
    if (integers == nullptr) continue;
    Json& grid = grids[name_in_transformers(architecture, p->name)];
    grid = {{"bits", integers->bits()}, {"scale", all(integers->grid().scale)}};
    if (const auto& input = integers->input())
      grid["input"] = {{"scale", shortest(input->scale.data<float>()[0])},
                       {"zero_point", input->zero_point.data<int32_t>()[0]},
                       {"low", input->low},
                       {"high", input->high}};
    else if (integers->products())
      grid["input"] = "dynamic";
  }
  return grids;
}

}  // namespace

std::string obstacle_in_transformers(const BertConfig& config) {
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    const std::string layer = "layer " + std::to_string(i) + " has ";
    if (config.heads_of(i) != config.num_attention_heads)
      return layer + std::to_string(config.heads_of(i)) + " of " + std::to_string(config.num_attention_heads) +
             " heads";
    if (config.intermediate_of(i) != config.intermediate_of(0))
      return layer + std::to_string(config.intermediate_of(i)) + " feed-forward neurons, layer 0 " +
             std::to_string(config.intermediate_of(0));
  }
  return "";
}

Exported export_hf(const Model& model, const fs::path& directory) {
  std::map<std::string, std::string> files = model_files(model, Json::object());
  if (const Json grids = grids_of(model.store, model.config.architecture); !grids.empty())
    files[grids_file] = grids.dump(1) + '\n';
  model.store.settle();
  std::map<std::string, Tensor> tensors;
  for (const Parameter* p : model.store.all())
    tensors[name_in_transformers(model.config.architecture, p->name)] = p->value;

  AtomicFolder folder(directory, is_exported_file);
  const fs::path& to = folder.temporary();
  for (const auto& [name, text] : files) write_file(to / name, text);
  const std::string vocabulary = files.contains("vocab.txt") ? "vocab.txt" : "vocab.json";
  write_safetensors(to / weights_file, tensors,
                    {{"format", "pt"}, {vocabulary_key(vocabulary), hex(checksum(files.at(vocabulary)))}});
  Exported exported{.bytes = folder.bytes()};
  folder.commit();
  const std::string obstacle = obstacle_in_transformers(model.config);
  if (obstacle.empty())
    exported.notes.push_back(
        "transformers loads it as " +
        parse_object(files.at("config.json"), "config.json")["architectures"][0].get<std::string>());
  else
    exported.warning = "transformers cannot load these shapes (" + obstacle + "); Espalier's programs do";
  if (files.contains(grids_file))
    exported.notes.emplace_back(std::string("int8 weights became f32 numbers; their scales are in ") + grids_file);
  return exported;
}

void check_exported_vocabulary(const fs::path& directory) {
  std::error_code ignored;
  const fs::path weights = directory / "model.safetensors";
  for (const char* const name : {"vocab.txt", "vocab.json"}) {
    const fs::path file = directory / name;
    if (!fs::exists(weights, ignored) || !fs::exists(file, ignored)) continue;
    const Safetensors header(weights);
    const auto expected = header.metadata().find(vocabulary_key(name));
    CHECK(
        expected == header.metadata().end() || expected->second == hex(checksum(read_file(file, largest_vocabulary))),
        file.string(),
        ": differs from the file that export wrote together with model.safetensors: it is damaged or was changed; put "
        "that file back, or, if the change is meant, open the model with --vocab ",
        directory.string());
  }
}

}  // namespace espalier
