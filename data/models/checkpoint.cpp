// SPDX-License-Identifier: Apache-2.0
// Layout of a checkpoint; docs/FORMATS.md describes it for other programs. Texts are HDF5 strings; in files of format
// version 1 they are bytes, and lists have a text a line.
//   /                     attributes format = "espalier checkpoint" and format_version
//   /config               JSON, the fields of Hugging Face's config.json, with the labels
//   /vocabulary           the tokens, a list
//   /tokenizer            JSON, the fields of TokenizerOptions; see data/models/tokenizer_record.cpp
//   /merges               of a byte-level BPE: its merges, a list, in their order
//   /options              JSON, the effective options of the run
//   /pruned               list of the parameters that were pruned; absent: none. Their masks are the non-zeros of the
//                         stored weights, so that nothing is stored twice, or else
//   /masks/NAME           u8[(n + 7) / 8], bit i % 8 of byte i / 8 tells that element i is kept
//   /weights/NAME         a parameter; its attribute encoding says how, see data/models/tensor_encoding.h and, for
//                         integers, data/models/quantized_encoding.h
//   /training/state       JSON, the fields of TrainingState and the optimizer's number of steps
//   /training/layout      list of names and shapes of the parameters, in the order of the moments
//   /training/first_moments, second_moments   f32, laid out as ParameterStore's values
#include "data/models/checkpoint.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <type_traits>

#include "core/bitmap.h"
#include "core/check.h"
#include "core/format.h"
#include "data/files/atomic_file.h"
#include "data/files/json_file.h"
#include "data/models/hf.h"
#include "data/models/json_fields.h"
#include "data/models/quantized_encoding.h"
#include "data/models/tensor_encoding.h"
#include "data/models/tokenizer_record.h"
#include "nn/integers.h"

namespace espalier {
namespace {

using Json = nlohmann::json;

const char* const format_name = "espalier checkpoint";
const char* const format_version = "2";
const char* const bytes_for_texts = "1";  // the version before

// The mask that keeps what is not zero.
Tensor nonzeros(const Tensor& values) {
  Tensor bits = no_bits(values.size());
  for (int64_t i = 0; i < values.size(); ++i)
    if (values.data<float>()[i] != 0) set_bit(bits, i);
  return bits;
}

std::vector<std::string> layout_of(const ParameterStore& store) {
  std::vector<std::string> layout;
  for (const Parameter* p : store.all()) {
    std::ostringstream text;
    text << p->name << ' ' << p->shape;
    layout.push_back(text.str());
  }
  return layout;
}

Json to_json(const TrainingState& state, int64_t optimizer_steps) {
  return {{"step", state.step},
          {"epoch", state.epoch},
          {"batch", state.batch},
          {"seed", state.seed},
          {"best_accuracy", state.best_accuracy},
          {"best_step", state.best_step},
          {"extra", state.extra.json()},
          {"optimizer_steps", optimizer_steps}};
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const ParameterStore& store, const CheckpointContents& contents,
                     const Optimizer* optimizer, const TrainingState* state,
                     const std::function<void(Hdf5Group)>& more) {
  check_vocabulary(contents.vocabulary, contents.config, path.string());
  store.settle();
  AtomicFile target(path);
  Hdf5File file = Hdf5File::create(target.temporary(), path.string());
  const Hdf5Group& root = file.root();
  root.set_attribute(".", "format", format_name);
  root.set_attribute(".", "format_version", format_version);
  root.write_text("config", config_to_json(contents.config).dump());
  root.write_texts("vocabulary", contents.vocabulary);
  root.write_text("tokenizer", to_json(contents.tokenizer).dump());
  if (contents.tokenizer.kind == TokenizerKind::byte_level_bpe) root.write_texts("merges", contents.tokenizer.merges);
  root.write_text("options", contents.options.text());
  const Hdf5Group weights = root.create_group("weights");
  const bool resumes = optimizer != nullptr && state != nullptr;
  const PrunedMasks pruned = masks_of(store);
  PrunedMasks untold;  // by the zeros
  for (Parameter* p : store.all()) {
    const Tensor value = resumes ? p->value : p->use({}).value;
    if (const auto integers = resumes ? nullptr : p->integers())
      write_quantized(weights, p->name, *integers);
    else
      write_tensor(weights, p->name, value);
    const auto mask = pruned.find(p->name);
    if (mask != pruned.end() && !std::ranges::equal(mask->second.span<uint8_t>(), nonzeros(value).span<uint8_t>()))
      untold.insert(*mask);
  }
  std::vector<std::string> names;
  for (const auto& [name, bits] : pruned) names.push_back(name);
  if (!names.empty()) root.write_texts("pruned", names);
  if (!untold.empty()) {
    const Hdf5Group group = root.create_group("masks");
    for (const auto& [name, bits] : untold) group.write(name, bits);
  }
  if (resumes) {
    const Hdf5Group training = root.create_group("training");
    training.write_text("state", to_json(*state, optimizer->steps()).dump());
    training.write_texts("layout", layout_of(store));
    training.write("first_moments", optimizer->first_moments());
    training.write("second_moments", optimizer->second_moments());
  }
  if (more) more(root);
  file.close();
  target.commit();
}

void check_vocabulary(const std::vector<std::string>& vocabulary, const BertConfig& config, const std::string& source) {
  const int64_t tokens = std::ssize(vocabulary), rows = config.vocab_size;
  CHECK(tokens <= rows, source, ": the vocabulary has ", tokens, " tokens and the word embeddings have ", rows,
        " rows (vocab_size); expected a row for each token: take the vocabulary that belongs to the model");
  for (const std::string& token : vocabulary)
    CHECK(token.find('\n') == std::string::npos, source, ": the token ", Json(token).dump(), " holds a line break");
}

Checkpoint::Checkpoint(const std::filesystem::path& path) : path_(path.string()), file_(Hdf5File::open(path)) {
  const Hdf5Group& root = file_.root();
  CHECK(root.has_attribute(".", "format") && root.attribute(".", "format") == format_name, path_,
        ": is an HDF5 file, but no checkpoint; expected one that train_sst2 or another program of Espalier wrote");
  const std::string version = root.attribute(".", "format_version");
  CHECK(version == format_version || version == bytes_for_texts, path_, ": has format version ", version,
        ", this program reads up to version ", format_version, "; use the Espalier that wrote it or a newer one");
  contents_.config =
      config_from_json(parse_object(root.read_text("config"), root.where("config")), root.where("config"));
  contents_.vocabulary = root.read_texts("vocabulary");
  check_vocabulary(contents_.vocabulary, contents_.config, path_);
  contents_.tokenizer = tokenizer_options_of(JsonFields(root, "tokenizer"));
  if (contents_.tokenizer.kind == TokenizerKind::byte_level_bpe) contents_.tokenizer.merges = root.read_texts("merges");
  contents_.options = Record(parse_object(root.read_text("options"), root.where("options")));
  resumes_ = root.contains("training");
}

Tokenizer Checkpoint::tokenizer() const {
  try {
    return {contents_.vocabulary, contents_.tokenizer};
  } catch (const Error& error) { fail(path_, ": ", error.what()); }
}

LoadReport Checkpoint::load_weights(ParameterStore& store, const std::set<std::string>& without, Load load) const {
  const Hdf5Group weights = root().group("weights");
  LoadProblems problems;
  std::set<std::string> quantized;
  const std::vector<std::string> names = weights.names();
  for (const std::string& name : names) {
    if (without.contains(name)) continue;
    if (is_quantized(weights, name)) quantized.insert(name);
    const Shape shape = quantized.contains(name) ? quantized_shape(weights, name) : tensor_shape(weights, name);
    if (const Parameter* const p = store.find(name))
      problems.compare(name, shape.dims(), p->shape);
    else
      problems.unexpected.push_back(name);
  }
  for (const Parameter* p : store.all())
    if (!std::binary_search(names.begin(), names.end(), p->name) && !without.contains(p->name))
      problems.missing.push_back(p->name);
  problems.check(path_, "the weights do not belong to the configuration");

  store.settle();  // no update that is still due may change what is loaded
  if (!store.values()) store.lay_out_without(load == Load::for_inference ? quantized : std::set<std::string>());
  for (Parameter* p : store.all()) {
    if (without.contains(p->name)) continue;
    const bool whole = !quantized.contains(p->name);
    set_integers(*p, whole ? nullptr : read_quantized(weights, p->name));
    if (whole) read_tensor_into(weights, p->name, p->value);
    if (p->value) p->updated();
  }
  return {.loaded = std::ranges::count_if(store.all(), [&](const Parameter* p) { return !without.contains(p->name); })};
}

PrunedMasks Checkpoint::masks(const ParameterStore& store, const std::set<std::string>& without) const {
  PrunedMasks masks;
  if (!root().contains("pruned")) return masks;
  for (const std::string& name : root().read_texts("pruned")) {
    if (without.contains(name)) continue;
    const Parameter* const p = store.find(name);
    CHECK(p != nullptr, root().where("pruned"), " names ", name, ", which the model does not have");
    if (!root().contains("masks") || !root().group("masks").contains(name)) {
      masks[name] = nonzeros(p->value);
      continue;
    }
    const Tensor bits({(p->shape.size() + 7) / 8}, DType::u8);
    root().group("masks").read_into(name, bits);
    masks[name] = bits;
  }
  if (root().contains("masks"))
    for (const std::string& name : root().group("masks").names())
      CHECK(masks.contains(name) || without.contains(name), root().group("masks").where(name),
            " is a mask of something that ", root().where("pruned"), " does not name");
  return masks;
}

TrainingState Checkpoint::state() const {
  TrainingState state;
  CHECK(resumes_, path_, ": has no training state; expected the file of a run that can be resumed");
  const JsonFields fields(root().group("training"), "state");
  fields.count("step", state.step);
  fields.count("epoch", state.epoch);
  fields.count("batch", state.batch);
  fields.count("seed", state.seed);
  fields.read("best_accuracy", state.best_accuracy);
  fields.count("best_step", state.best_step);
  CHECK(fields.at("extra").is_object(), fields.where, ": the field extra is no object; the file is damaged");
  state.extra = Record(fields.at("extra"));
  return state;
}

void Checkpoint::load_optimizer(Optimizer& optimizer, const ParameterStore& store) const {
  CHECK(resumes_, path_, ": has no optimizer state; expected the file of a run that can be resumed");
  const Hdf5Group training = root().group("training");
  CHECK(training.read_texts("layout") == layout_of(store), training.where("layout"),
        " has other parameters or shapes than the model; resume with the model of the stopped run");
  const Tensor first(store.values().shape()), second(store.values().shape());
  training.read_into("first_moments", first);
  training.read_into("second_moments", second);
  optimizer.set_moments(first, second);
  int64_t steps = 0;
  JsonFields(training, "state").count("optimizer_steps", steps);
  optimizer.set_steps(steps);
}

}  // namespace espalier
