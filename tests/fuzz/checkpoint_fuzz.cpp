// SPDX-License-Identifier: Apache-2.0
// Checkpoints: what is opened can be saved, and is then the same. An input is either the bytes of an HDF5 file, or the
// texts of one with a line --- between them: config, vocabulary, tokenizer, options and the training's state. Those are
// put into a file whose checksums fit, which bytes that were changed at random never get past, with weights that fit
// the config.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "data/files/json_file.h"
#include "data/models/checkpoint.h"
#include "data/models/model_source.h"
#include "tests/fuzz/target.h"

using namespace espalier;

namespace {

// Weights for a config that can be read and is small.
void write_weights(const Hdf5Group& weights, const std::string& text) {
  fuzz::accepts([&] {
    const BertConfig config = config_from_json(parse_object(text, "config"), "config");
    if (std::max({config.vocab_size, config.max_position_embeddings, config.intermediate_size}) > 64 ||
        config.hidden_size > 16 || config.num_hidden_layers > 3)
      return;
    ParameterStore store;
    const Bert bert(store, config);
    store.allocate(1, 0.02F);
    for (const Parameter* p : store.all()) weights.write(p->name, p->value);
  });
}

void write_file_of_texts(const std::filesystem::path& path, std::string_view bytes) {
  const auto parts = fuzz::parts_of(bytes, 5);
  Hdf5File file = Hdf5File::create(path, path.string());
  const Hdf5Group& root = file.root();
  root.set_attribute(".", "format", "espalier checkpoint");
  root.set_attribute(".", "format_version", "1");
  std::vector<std::string> tokens;
  std::istringstream lines{std::string(parts[1])};
  for (std::string token; std::getline(lines, token);) tokens.push_back(token.substr(0, token.find('\0')));
  root.write_texts("vocabulary", tokens);
  root.write_text("config", parts[0]);
  root.write_text("tokenizer", parts[2]);
  root.write_text("options", parts[3]);
  write_weights(root.create_group("weights"), std::string(parts[0]));
  if (!parts[4].empty()) root.create_group("training").write_text("state", parts[4]);
  file.close();
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::equal(a.raw(), a.raw() + a.bytes(), b.raw());
}

void check(const Model& model, const std::filesystem::path& again) {
  save_checkpoint(again, model.store, model.contents());
  const auto copy = open_model(again.string());
  const auto ours = model.store.all(), theirs = copy->store.all();
  fuzz::law(ours.size() == theirs.size(), "as many parameters");
  for (size_t i = 0; i < ours.size(); ++i)
    fuzz::law(same_bits(ours[i]->use({}).value, theirs[i]->use({}).value), "a parameter has the same bits");
  fuzz::law(copy->tokenizer.vocabulary() == model.tokenizer.vocabulary(), "the vocabulary is the same");
  fuzz::law(copy->options == model.options, "the options are the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view input = fuzz::text_of(bytes, size);
  const auto path = fuzz::folder() / "model.h5", again = fuzz::folder() / "again.h5";
  if (input.starts_with("\x89HDF"))
    fuzz::folder().put("model.h5", input);
  else
    write_file_of_texts(path, input);
  fuzz::accepts(
      [&] {
        const Checkpoint opened(path);
        if (opened.resumes()) opened.state();
      },
      path.string());
  std::unique_ptr<Model> model;
  if (fuzz::accepts([&] { model = open_model(path.string()); }, path.string())) check(*model, again);
  return 0;
}
