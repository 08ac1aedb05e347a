// SPDX-License-Identifier: Apache-2.0
#include "data/models/model_source.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/check.h"
#include "core/quoted.h"
#include "data/edge/edge_file.h"
#include "data/models/architectures.h"
#include "data/models/head_choice.h"
#include "data/models/hf.h"
#include "data/models/hf_export.h"
#include "data/text/demo_corpus.h"
#include "data/text/unicode_classes.h"
#include "nn/heads/heads.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view random_prefix = "random:";

Tokenizer read_tokenizer(const fs::path& vocabulary) {
  std::error_code ignored;
  if (fs::is_directory(vocabulary, ignored)) return Tokenizer::from_directory(vocabulary);
  std::vector<std::string> tokens = Tokenizer::read_vocabulary(vocabulary);
  try {
    return Tokenizer(std::move(tokens), {});
  } catch (const Error& error) { fail(vocabulary.string(), ": ", error.what()); }
}

std::unique_ptr<Model> open_random(const std::string& size, const OpenOptions& options) {
  BertConfig config = BertConfig::of_size(size);
  Tokenizer tokenizer =
      options.vocabulary.empty() ? Tokenizer(demo_vocabulary(), {}) : read_tokenizer(options.vocabulary);
  config.vocab_size = tokenizer.size();
  OpenOptions all_is_random = options;
  all_is_random.may_start_head = true;
  const HeadChoice head = choose_head(config, {}, all_is_random, std::string(random_prefix) + size);
  auto model = std::make_unique<Model>(config, std::move(tokenizer));
  model->store.allocate(options.seed, config.initializer_range);
  for (const Parameter* p : model->store.all()) model->report.initialised.push_back(p->name);
  model->report.labels = head.labels;
  return model;
}

HeadInFile head_of(const HfWeights& weights, const HfConfig& config) {
  if (is_pretraining(config.model.head)) return {.trained = true};
  if (weights.has_head()) return {.trained = true, .names_task = config.names_task};
  const auto theirs = [&](const std::string& own) {
    const std::string name = name_in_transformers(config.model.architecture, own + ".");
    return name.substr(0, name.size() - 1);
  };
  const std::string none =
      "no classification head for sentences (" + theirs("bert.pooler.dense") + " and " + theirs("classifier") + ")";
  const bool other = !config.class_name.empty() && config.class_name != row_of(config.model.architecture).classifier;
  return {.names_task = config.names_task,
          .missing = other ? "holds a " + config.class_name + ", which has " + none
                           : "its weights have " + none + ", only " + weights.some_names()};
}

// For a model without embeddings of segments: it reads none, so that the tokenizer may make those of BERT, which as its
// teacher reads the same batches. Nor is there anything to tell about them.
void ignore_segments(Tokenizer& tokenizer, std::vector<std::string>& notes) {
  TokenizerOptions options = tokenizer.options();
  if (options.kind != TokenizerKind::wordpiece || options.segments) return;
  options.segments = true;
  tokenizer = Tokenizer(tokenizer.vocabulary(), options);
  std::erase_if(notes, [](const std::string& note) { return note.ends_with("has no token_type_ids"); });
}

std::unique_ptr<Model> open_directory(const fs::path& directory, const OpenOptions& options) {
  if (options.vocabulary.empty()) check_exported_vocabulary(directory);
  HfConfig hf = read_config(directory);
  Tokenizer tokenizer =
      options.vocabulary.empty() ? Tokenizer::from_directory(directory) : read_tokenizer(options.vocabulary);
  check_vocabulary(tokenizer.vocabulary(), hf.model, directory.string());
  std::vector<std::string> notes = tokenizer.notes();
  if (hf.model.type_vocab_size == 0) ignore_segments(tokenizer, notes);
  const HfWeights weights(directory, hf.model.architecture, hf.class_name);
  if (const HeadRow* const row = head_of_class(hf.class_name); row != nullptr && weights.has_head(*row))
    hf.model.head = row->name;
  const HeadChoice head = choose_head(hf.model, head_of(weights, hf), options, directory.string());
  auto model = std::make_unique<Model>(hf.model, std::move(tokenizer));
  model->report = weights.load(model->store, options.seed, hf.model.initializer_range, head.new_classifier);
  model->report.unknown_fields = hf.unknown;
  model->report.labels = head.labels;
  model->report.new_head = head.why_new;
  model->report.notes = notes;
  return model;
}

// Of a head that is new: parameters that start from the seed, and those of the file's head that are not taken. What
// both heads have stays, but for a classifier.
struct HeadChange {
  std::set<std::string> fresh, dropped;
};
HeadChange change_of(const Checkpoint& checkpoint, const ParameterStore& store) {
  const std::vector<std::string> names = checkpoint.root().group("weights").names();
  const auto stays = [](const std::string& name) { return !name.starts_with("classifier."); };
  HeadChange change;
  for (const std::string& name : names)
    if (!Encoder::owns(name) && (store.find(name) == nullptr || !stays(name))) change.dropped.insert(name);
  for (const Parameter* p : store.all())
    if (!Encoder::owns(p->name) && (!stays(p->name) || std::ranges::find(names, p->name) == names.end()))
      change.fresh.insert(p->name);
  return change;
}

std::unique_ptr<Model> open_checkpoint(const fs::path& path, const OpenOptions& options) {
  const Checkpoint checkpoint(path);
  BertConfig config = checkpoint.contents().config;
  CHECK(options.vocabulary.empty(), path.string(),
        ": has a vocabulary of its own; a checkpoint is opened without another one");
  CHECK(!options.head || *options.head == config.head || options.may_start_head, path.string(), ": has the head '",
        config.head, "', but '", *options.head, "' is wanted");
  const HeadChoice head = choose_head(config, {.trained = true}, options, path.string());
  auto model = std::make_unique<Model>(config, checkpoint.tokenizer());
  const auto [fresh, dropped] = head.new_classifier ? change_of(checkpoint, model->store) : HeadChange();
  std::set<std::string> without = fresh;
  without.insert(dropped.begin(), dropped.end());
  model->report = checkpoint.load_weights(
      model->store, without, options.for_inference ? Checkpoint::Load::for_inference : Checkpoint::Load::all);
  model->options = checkpoint.contents().options;
  if (!options.for_inference)
    for (const auto& [name, bits] : checkpoint.masks(model->store, without)) hold(model->store.at(name), bits);
  for (const std::string& name : fresh)
    model->store.initialise(model->store.at(name), options.seed, config.initializer_range);
  model->report.initialised.assign(fresh.begin(), fresh.end());
  model->report.ignored.assign(dropped.begin(), dropped.end());
  model->report.labels = head.labels;
  model->report.new_head = head.why_new;
  return model;
}

// Whether the file is named or begins as HDF5 does. One that cannot be read, and a pipe or device of that name, may be
// a checkpoint; opening it will tell why.
bool may_be_checkpoint(const fs::path& path) {
  std::error_code ignored;
  if (path.extension() == ".h5") return fs::exists(path, ignored);
  if (!fs::is_regular_file(path, ignored)) return false;
  return begins_as_hdf5(path);
}

std::string why_not(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return ": there is no such file or directory";
  if (!fs::is_regular_file(path, ignored) || !EdgeFile::is_one(path)) return ": is not a model";
  return ": is an edge file, which the program edge and espalier.h open";
}

}  // namespace

Model::Model(const BertConfig& model_config, Tokenizer model_tokenizer)
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
    fail(source, why_not(source),
         "; expected a checkpoint FILE.h5, a Hugging Face directory, or random:tiny|mini|small|medium|base|large");
  model->source = source;
  model->store.check_finite(source);
  model->report.rows_without_token = model->config.vocab_size - model->tokenizer.size();
  if (const std::string warning = model->report.warning(); !warning.empty())
    options.listener.warn(source + ": " + warning);
  for (const std::string& note : model->report.notes) options.listener.warn(note);
  return model;
}

std::optional<Task> task_of(const std::string& source) {
  std::error_code ignored;
  if (source.starts_with(random_prefix)) return std::nullopt;
  const BertConfig config =
      fs::is_directory(source, ignored) ? read_config(source).model : Checkpoint(source).contents().config;
  return Task{config.head, config.labels, "from " + source};
}

}  // namespace espalier
