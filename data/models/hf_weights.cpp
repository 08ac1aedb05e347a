// SPDX-License-Identifier: Apache-2.0
// The weights of a Hugging Face directory: finding the files, matching names, loading, and the report about it.
#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string_view>
#include <system_error>

#include "core/check.h"
#include "core/format.h"
#include "data/files/json_file.h"
#include "data/models/architectures.h"
#include "data/models/hf.h"
#include "data/models/safetensors.h"
#include "data/models/torch_file.h"
#include "nn/encoder.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

// The files that an index names.
std::vector<fs::path> indexed_files(const fs::path& directory, const fs::path& index) {
  const nlohmann::json map = read_object(index).value("weight_map", nlohmann::json());
  CHECK(map.is_object() && !map.empty(), index.string(), ": has no weight_map; expected the file of each tensor");
  std::vector<fs::path> files;
  for (const auto& [tensor, file] : map.items()) {
    CHECK(file.is_string() && fs::path(file.get<std::string>()).filename() == file.get<std::string>(), index.string(),
          ": the file of ", tensor, " is ", file.dump().substr(0, 60), "; expected a name in the same directory");
    files.push_back(directory / file.get<std::string>());
  }
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return files;
}

// The files that hold the weights.
std::vector<fs::path> weight_files(const fs::path& directory) {
  std::error_code ignored;
  for (const char* name : {"model.safetensors", "pytorch_model.bin"}) {
    if (fs::exists(directory / name, ignored)) return {directory / name};
    const fs::path index = directory / (std::string(name) + ".index.json");
    if (fs::exists(index, ignored)) return indexed_files(directory, index);
  }
  fail(directory.string(),
       ": holds neither model.safetensors nor pytorch_model.bin; expected a Hugging Face directory");
}

bool ends_with_any(std::string_view name, std::span<const std::string_view> ends) {
  return std::any_of(ends.begin(), ends.end(), [&](std::string_view end) { return name.ends_with(end); });
}

// A tensor's name without what wraps a model: torch.compile, DataParallel, a module of the user's own.
std::string unwrapped(std::string name) {
  constexpr std::array<std::string_view, 3> wrappers = {"module.", "_orig_mod.", "model."};
  for (auto found = wrappers.begin(); found != wrappers.end();) {
    found = std::ranges::find_if(wrappers, [&](std::string_view wrapper) { return name.starts_with(wrapper); });
    if (found != wrappers.end()) name.erase(0, found->size());
  }
  return name;
}

// A tensor's name as ArchitectureRow::classifier has it.
std::string plain_name(const std::string& in_file) {
  std::string name = unwrapped(in_file);
  if (name.ends_with("LayerNorm.gamma")) name.replace(name.size() - 5, 5, "weight");
  if (name.ends_with("LayerNorm.beta")) name.replace(name.size() - 4, 4, "bias");
  return name;
}

// Of a model whose head has no use for them: heads of other tasks, and buffers that are no weights.
bool is_other(std::string_view name) {
  constexpr std::array<std::string_view, 16> heads = {"cls.",
                                                      "qa_outputs.",
                                                      "classifier.",
                                                      "pre_classifier.",
                                                      "bert.pooler.dense.",
                                                      "roberta.pooler.dense.",
                                                      "pooler.dense.",
                                                      "lm_head.",
                                                      "vocab_transform.",
                                                      "vocab_layer_norm.",
                                                      "vocab_projector.",
                                                      "discriminator_predictions.",
                                                      "generator_predictions.",
                                                      "generator_lm_head.",
                                                      "sequence_summary.",
                                                      "lm_predictions."};
  constexpr std::array<std::string_view, 2> buffers = {"position_ids", "token_type_ids"};
  return std::ranges::any_of(heads, [&](std::string_view head) { return name.starts_with(head); }) ||
         ends_with_any(name, buffers);
}

// Whether a parameter of ours is read from a file only where that has the whole head: BERT's pooler is of use without
// it.
bool is_head(const std::string& own, Architecture architecture) {
  return own.starts_with("classifier.") || (architecture != Architecture::bert && own.starts_with("bert.pooler."));
}

}  // namespace

// One file of weights, of either format.
struct HfWeights::File {
  explicit File(const fs::path& path) {
    if (path.extension() == ".safetensors") {
      const Safetensors& file = *(safetensors = std::make_unique<Safetensors>(path));
      for (const auto& [name, entry] : file.entries()) shapes[name] = entry.shape;
    } else {
      torch = std::make_unique<TorchFile>(path);
      for (const auto& [name, tensor] : torch->tensors()) shapes[name] = tensor.shape;
      for (const std::string& name : torch->others()) shapes[name] = {};
    }
  }
  void read_into(const std::string& name, const Tensor& to) const {
    safetensors != nullptr ? safetensors->read_into(name, to) : torch->read_into(name, to);
  }

  std::map<std::string, std::vector<int64_t>> shapes;
  std::unique_ptr<const Safetensors> safetensors;
  std::unique_ptr<const TorchFile> torch;
};

HfWeights::HfWeights(const fs::path& directory, Architecture architecture, const std::string& class_name)
    : source_(directory.string()),
      architecture_(architecture),
      takes_classifier_(class_name.empty() || class_name == row_of(architecture).classifier) {
  for (const fs::path& path : weight_files(directory)) files_.push_back(std::make_unique<File>(path));
}

HfWeights::~HfWeights() = default;

bool HfWeights::has_head() const {
  std::set<std::string> found;
  for (const auto& file : files_)
    for (const auto& [name, shape] : file->shapes) {
      found.insert(unwrapped(name));
      found.insert(std::string(row_of(architecture_).prefix) + unwrapped(name));
    }
  return takes_classifier_ &&
         std::ranges::all_of(
             std::array{"bert.pooler.dense.weight", "bert.pooler.dense.bias", "classifier.weight", "classifier.bias"},
             [&](const char* own) { return found.contains(name_in_transformers(architecture_, own)); });
}

bool HfWeights::has_head(const HeadRow& row) const {
  std::set<std::string> found;
  for (const auto& file : files_)
    for (const auto& [name, shape] : file->shapes) {
      found.insert(plain_name(name));
      found.insert(std::string(row_of(architecture_).prefix) + plain_name(name));
    }
  ParameterStore store;  // of a small model with that head
  BertConfig config = BertConfig::of_size("tiny");
  const Encoder encoder(store, config);
  const auto head = row.make(store, encoder);
  return std::ranges::all_of(store.all(),
                             [&](const Parameter* p) { return Encoder::owns(p->name) || found.contains(p->name); });
}

void HfWeights::check_tied(const Parameter& words) const {
  for (const auto& file : files_)
    for (const auto& [name, shape] : file->shapes) {
      if (plain_name(name) != "cls.predictions.decoder.weight") continue;
      const Tensor decoder(words.shape);
      CHECK(std::ranges::equal(shape, words.shape.dims()), source_, ": ", name, " has another shape than ", words.name,
            words.shape, "; expected a decoder that is tied to the word embeddings");
      file->read_into(name, decoder);
      CHECK(std::ranges::equal(decoder.span<float>(), words.value.span<float>()), source_, ": ", name, " differs from ",
            words.name, "; expected a decoder that is tied to the word embeddings (tie_word_embeddings)");
    }
}

std::string HfWeights::some_names() const {
  std::vector<std::string> names;
  for (const auto& file : files_)
    for (const auto& [name, shape] : file->shapes) names.push_back(name);
  std::stable_partition(names.begin(), names.end(), [](const std::string& name) {
    return name.find("classifier") != std::string::npos || name.find("pooler") != std::string::npos;
  });
  return listed(names, 3);
}

LoadReport HfWeights::load(ParameterStore& store, uint64_t seed, float range, bool new_classifier) const {
  const bool takes_classifier = has_head() && !new_classifier;
  LoadReport report;
  LoadProblems problems;
  std::map<std::string, const Parameter*> wanted;  // by their names in the files
  for (const Parameter* p : store.all()) wanted[name_in_transformers(architecture_, p->name)] = p;
  struct Source {
    const File* file;
    std::string name;  // in the file
  };
  std::map<const Parameter*, Source> sources;
  for (const auto& file : files_) {
    for (const auto& [name, shape] : file->shapes) {
      const std::string plain = plain_name(name);
      auto found = wanted.find(plain);
      if (found == wanted.end()) found = wanted.find(std::string(row_of(architecture_).prefix) + plain);
      if (found == wanted.end() || (is_head(found->second->name, architecture_) && !takes_classifier)) {
        (is_other(plain) ? report.ignored : report.unexpected).push_back(name);
        continue;
      }
      const auto [other, is_new] = sources.try_emplace(found->second, Source{file.get(), name});
      CHECK(is_new, source_, ": ", other->second.name, " and ", name, " are both for ", found->first,
            "; expected one of them");
      problems.compare(name, shape, found->second->shape);
    }
  }
  std::vector<Parameter*> fresh;
  for (Parameter* p : store.all()) {
    if (sources.contains(p)) continue;
    Encoder::owns(p->name) ? problems.missing.push_back(p->name) : fresh.push_back(p);
  }
  problems.unused = report.unexpected;
  problems.check(source_, "expected the tensors that config.json describes");

  store.settle();  // no update that is still due may change what is loaded
  if (!store.values()) store.lay_out_unset();
  for (const auto& [p, source] : sources) source.file->read_into(source.name, p->value);
  if (store.find("cls.predictions.bias") != nullptr) check_tied(store.at("bert.embeddings.word_embeddings.weight"));
  for (Parameter* p : fresh) {
    store.initialise(*p, seed, range);
    report.initialised.push_back(p->name);
  }
  report.loaded = std::ssize(sources);
  return report;
}

}  // namespace espalier
