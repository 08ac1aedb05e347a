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
#include "data/models/hf.h"
#include "data/models/safetensors.h"
#include "nn/encoder.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

// The files that hold the weights.
std::vector<fs::path> weight_files(const fs::path& directory) {
  std::error_code ignored;
  const auto has = [&](const char* name) { return fs::exists(directory / name, ignored); };
  if (has("model.safetensors")) return {directory / "model.safetensors"};
  const fs::path index = directory / "model.safetensors.index.json";
  if (!has("model.safetensors.index.json")) {
    CHECK(!has("pytorch_model.bin"), directory.string(),
          ": has its weights in pytorch_model.bin only, which is not read; in Python, load the model and write it with "
          "save_pretrained(DIRECTORY, safe_serialization=True)");
    fail(directory.string(), ": holds no model.safetensors; expected a Hugging Face directory");
  }
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

// A tensor's name as BertForSequenceClassification has it.
std::string canonical(const std::string& in_file, const ParameterStore& store) {
  std::string name = unwrapped(in_file);
  if (name.ends_with("LayerNorm.gamma")) name.replace(name.size() - 5, 5, "weight");
  if (name.ends_with("LayerNorm.beta")) name.replace(name.size() - 4, 4, "bias");
  return store.find(name) == nullptr && store.find("bert." + name) != nullptr ? "bert." + name : name;
}

// Of a model whose head has no use for them: heads of other tasks, and buffers that are no weights.
bool is_other(std::string_view name) {
  constexpr std::array<std::string_view, 6> heads = {
      "cls.", "qa_outputs.", "classifier.weight", "classifier.bias", "bert.pooler.dense.", "pooler.dense."};
  constexpr std::array<std::string_view, 2> buffers = {"position_ids", "token_type_ids"};
  return std::ranges::any_of(heads, [&](std::string_view head) { return name.starts_with(head); }) ||
         ends_with_any(name, buffers);
}

bool is_classifier(std::string_view name) { return name.starts_with("classifier."); }

struct Source {
  const Safetensors* file;
  std::string name;  // in the file
};

}  // namespace

HfWeights::HfWeights(const fs::path& directory, const std::string& architecture)
    : source_(directory.string()),
      takes_classifier_(architecture.empty() || architecture == "BertForSequenceClassification") {
  for (const fs::path& path : weight_files(directory)) files_.push_back(std::make_unique<Safetensors>(path));
}

HfWeights::~HfWeights() = default;

bool HfWeights::has_head() const {
  std::set<std::string> found;
  for (const auto& file : files_)
    for (const auto& [name, entry] : file->entries()) {
      const std::string plain = unwrapped(name);
      found.insert(plain.starts_with("bert.") ? plain.substr(5) : plain);
    }
  return takes_classifier_ && std::ranges::all_of(std::array{"pooler.dense.weight", "pooler.dense.bias",
                                                             "classifier.weight", "classifier.bias"},
                                                  [&](const char* name) { return found.contains(name); });
}

std::string HfWeights::some_names() const {
  std::vector<std::string> names;
  for (const auto& file : files_)
    for (const auto& [name, entry] : file->entries()) names.push_back(name);
  std::stable_partition(names.begin(), names.end(), [](const std::string& name) {
    return name.find("classifier") != std::string::npos || name.find("pooler") != std::string::npos;
  });
  return listed(names, 3);
}

LoadReport HfWeights::load(ParameterStore& store, uint64_t seed, float range, bool new_classifier) const {
  const bool takes_classifier = has_head() && !new_classifier;
  LoadReport report;
  LoadProblems problems;
  std::map<const Parameter*, Source> sources;
  for (const auto& file : files_) {
    for (const auto& [name, entry] : file->entries()) {
      const std::string wanted = canonical(name, store);
      const Parameter* const p = store.find(wanted);
      if (p == nullptr || (is_classifier(wanted) && !takes_classifier)) {
        (is_other(wanted) ? report.ignored : report.unexpected).push_back(name);
        continue;
      }
      const auto [other, is_new] = sources.try_emplace(p, Source{file.get(), name});
      CHECK(is_new, source_, ": ", other->second.name, " and ", name, " are both for ", wanted,
            "; expected one of them");
      problems.compare(name, entry.shape, p->shape);
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
  for (Parameter* p : fresh) {
    store.initialise(*p, seed, range);
    report.initialised.push_back(p->name);
  }
  report.loaded = std::ssize(sources);
  return report;
}

}  // namespace espalier
