// SPDX-License-Identifier: Apache-2.0
#include "data/models/model_source.h"

#include <array>
#include <fstream>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/check.h"
#include "core/quoted.h"
#include "data/models/hf.h"
#include "data/models/hf_export.h"
#include "data/text/demo_corpus.h"
#include "data/text/unicode_classes.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view random_prefix = "random:";

WordPiece read_tokenizer(const fs::path& vocabulary) {
  std::error_code ignored;
  if (fs::is_directory(vocabulary, ignored)) return WordPiece::from_directory(vocabulary);
  std::vector<std::string> tokens = WordPiece::read_vocabulary(vocabulary);
  try {
    return {std::move(tokens), {}};
  } catch (const Error& error) { fail(vocabulary.string(), ": ", error.what()); }
}

std::unique_ptr<Model> make_model(BertConfig config, WordPiece tokenizer, const OpenOptions& options) {
  if (options.labels) config.labels = *options.labels;
  if (options.head) config.head = *options.head;
  const std::set<std::string> distinct(config.labels.begin(), config.labels.end());
  CHECK(distinct.size() == config.labels.size(), "labels: a name is given twice; expected different names");
  return std::make_unique<Model>(config, std::move(tokenizer));
}

std::unique_ptr<Model> open_random(const std::string& size, const OpenOptions& options) {
  BertConfig config = BertConfig::of_size(size);
  WordPiece tokenizer =
      options.vocabulary.empty() ? WordPiece(demo_vocabulary(), {}) : read_tokenizer(options.vocabulary);
  config.vocab_size = tokenizer.size();
  auto model = make_model(config, std::move(tokenizer), options);
  model->store.allocate(options.seed, config.initializer_range);
  for (const Parameter* p : model->store.all()) model->report.initialised.push_back(p->name);
  return model;
}

std::unique_ptr<Model> open_directory(const fs::path& directory, const OpenOptions& options) {
  if (options.vocabulary.empty()) check_exported_vocabulary(directory);
  const BertConfig config = read_config(directory);
  WordPiece tokenizer =
      options.vocabulary.empty() ? WordPiece::from_directory(directory) : read_tokenizer(options.vocabulary);
  check_vocabulary(tokenizer.vocabulary(), config, directory.string());
  auto model = make_model(config, std::move(tokenizer), options);
  model->report = load_hf_weights(directory, model->store, options.seed, config.initializer_range);
  return model;
}

std::unique_ptr<Model> open_checkpoint(const fs::path& path, const OpenOptions& options) {
  const Checkpoint checkpoint(path);
  const BertConfig& config = checkpoint.contents().config;
  CHECK(options.vocabulary.empty(), path.string(),
        ": has a vocabulary of its own; a checkpoint is opened without another one");
  CHECK(!options.head || *options.head == config.head, path.string(), ": has the head '", config.head, "', but '",
        *options.head, "' is wanted");
  CHECK(!options.labels || std::ssize(*options.labels) == config.classes(), path.string(), ": has ", config.classes(),
        " labels, but ", options.labels->size(), " are given");
  auto model = make_model(config, checkpoint.tokenizer(), options);
  model->report = checkpoint.load_weights(model->store);
  model->options = checkpoint.contents().options;
  for (const auto& [name, bits] : checkpoint.masks(model->store)) hold(model->store.at(name), bits);
  return model;
}

// Whether the file is named or begins as HDF5 does. One that cannot be read, and a pipe or device of that name, may be
// a checkpoint; opening it will tell why.
bool may_be_checkpoint(const fs::path& path) {
  std::error_code ignored;
  if (path.extension() == ".h5") return fs::exists(path, ignored);
  if (!fs::is_regular_file(path, ignored)) return false;
  std::ifstream file(path, std::ios::binary);
  std::array<char, 8> start{};
  return !file ||
         (file.read(start.data(), start.size()) && std::string_view(start.data(), start.size()) == "\x89HDF\r\n\x1a\n");
}

}  // namespace

Model::Model(const BertConfig& model_config, WordPiece model_tokenizer)
    : config(model_config), bert(std::make_unique<Bert>(store, model_config)), tokenizer(std::move(model_tokenizer)) {
  for (const std::string& label : config.labels)  // they are written as JSON
    CHECK(is_utf8(label), "labels: ", quoted(label), " is not UTF-8; expected names in UTF-8");
}

CheckpointContents Model::contents() const { return {config, tokenizer.vocabulary(), tokenizer.options(), options}; }

void require_f32(const Model& model, const std::string& what) {
  for (const Parameter* p : model.store.all())
    CHECK(p->integers() == nullptr, model.source, ": ", p->name, " is int8; ", what,
          " needs f32 weights: start from the checkpoint before quantization");
}

std::unique_ptr<Model> open_model(const std::string& source, const OpenOptions& options) {
  std::error_code ignored;
  std::unique_ptr<Model> model;
  if (source.starts_with(random_prefix))
    model = open_random(source.substr(random_prefix.size()), options);
  else if (fs::is_directory(source, ignored))
    model = open_directory(source, options);
  else if (may_be_checkpoint(source))
    model = open_checkpoint(source, options);
  else
    fail(source, fs::exists(source, ignored) ? ": is not a model" : ": there is no such file or directory",
         "; expected a checkpoint FILE.h5, a Hugging Face directory, or random:tiny|mini|small|medium|base|large");
  model->source = source;
  model->store.check_finite(source);
  return model;
}

}  // namespace espalier
