// SPDX-License-Identifier: Apache-2.0
#include "data/hf_export.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <string_view>
#include <system_error>

#include "core/check.h"
#include "data/atomic_file.h"
#include "data/safetensors.h"
#include "data/unicode_classes.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::array<const char*, 4> file_names = {"config.json", "model.safetensors", "tokenizer_config.json",
                                                   "vocab.txt"};

struct SpecialToken {
  const char* role;
  std::string_view text;
};
constexpr std::array<SpecialToken, 5> special_tokens = {{{"pad_token", "[PAD]"},
                                                         {"unk_token", "[UNK]"},
                                                         {"cls_token", "[CLS]"},
                                                         {"sep_token", "[SEP]"},
                                                         {"mask_token", "[MASK]"}}};

bool is_of_an_export(const fs::path& file) {
  const fs::path name = file.extension() == ".part" ? file.stem() : file.filename();
  return std::ranges::find(file_names, name) != file_names.end();
}

// A folder that appears under its name complete or not at all, as AtomicFile is for one file.
class AtomicFolder {
 public:
  explicit AtomicFolder(const fs::path& target);
  ~AtomicFolder();
  AtomicFolder(const AtomicFolder&) = delete;
  AtomicFolder& operator=(const AtomicFolder&) = delete;

  const fs::path& temporary() const { return temporary_; }
  void commit();

 private:
  void check_target() const;
  void take_over();

  std::string name_;  // as the caller says it
  fs::path target_, temporary_;
  int folder_ = -1;
};

AtomicFolder::AtomicFolder(const fs::path& target) : name_(target.string()) {
  std::error_code ignored;
  target_ = fs::weakly_canonical(target, ignored);
  if (!target_.has_filename()) target_ = target_.parent_path();  // after a slash at the end
  check_target();
  temporary_ = target_;
  temporary_ += ".part";
  CHECK(::mkdir(temporary_.c_str(), 0777) == 0 || errno == EEXIST, name_, ": cannot be made: ", std::strerror(errno));
  folder_ = ::open(temporary_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  CHECK(folder_ >= 0, temporary_.string(), ": cannot be opened as a directory: ", std::strerror(errno));
  try {
    take_over();
  } catch (...) {
    ::close(folder_);
    throw;
  }
}

AtomicFolder::~AtomicFolder() {
  if (folder_ < 0) return;
  std::error_code ignored;
  fs::remove_all(temporary_, ignored);
  ::close(folder_);
}

void AtomicFolder::check_target() const {
  std::error_code ignored;
  CHECK(target_.has_filename(), "'", name_, "': the name of a directory to write is expected");
  if (fs::exists(target_, ignored)) {
    CHECK(fs::is_directory(target_, ignored), name_, ": is a file; expected the name of a directory to write");
    CHECK(fs::is_empty(target_, ignored), name_, ": is a directory with files in it; expected a new or empty one");
  }
  const fs::path parent = target_.has_parent_path() ? target_.parent_path() : fs::path(".");
  CHECK(fs::is_directory(parent, ignored), name_, ": cannot be made: there is no folder ", parent.string());
}

// Locks the folder, and makes sure that a run which was killed left it behind, and nobody else.
void AtomicFolder::take_over() {
  CHECK(::flock(folder_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK, name_,
        ": another process is writing it now (", temporary_.string(), ")");
  for (const auto& entry : fs::directory_iterator(temporary_))
    CHECK(is_of_an_export(entry.path()), temporary_.string(), ": holds ", entry.path().filename().string(),
          ", which no export wrote; it is needed for a moment, so move it away");
}

void AtomicFolder::commit() {
  const auto give_up = [&](const char* action) { throw Failure(name_ + ": " + action + ": " + std::strerror(errno)); };
  if (::fsync(folder_) != 0 && errno != EINVAL) give_up("cannot be flushed to the disk");
  if (std::rename(temporary_.c_str(), target_.c_str()) != 0) give_up("cannot be given its name");
  ::close(folder_);
  folder_ = -1;
  const fs::path parent = target_.has_parent_path() ? target_.parent_path() : fs::path(".");
  const int above = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (above < 0) return;
  (void)::fsync(above);  // the new name; some file systems refuse, the files are complete all the same
  ::close(above);
}

std::string vocabulary_text(const WordPiece& tokenizer, const std::string& source) {
  std::string text;
  for (const std::string& token : tokenizer.vocabulary()) {
    CHECK(token.find_first_of("\r\n") == std::string::npos && is_utf8(token), source, ": the token ",
          Json(token).dump(-1, ' ', true, Json::error_handler_t::replace),
          " has a line break or is not UTF-8; vocab.txt cannot hold it");
    text += token + '\n';
  }
  return text;
}

Json tokenizer_to_json(const WordPiece& tokenizer, int64_t max_length) {
  const TokenizerOptions& options = tokenizer.options();
  const auto& vocabulary = tokenizer.vocabulary();
  const auto place = [&](std::string_view token) { return std::ranges::find(vocabulary, token); };
  Json json = {{"tokenizer_class", "BertTokenizer"},
               {"do_lower_case", options.lowercase},
               {"strip_accents", options.strip_accents ? Json(*options.strip_accents) : Json()},
               {"tokenize_chinese_chars", options.tokenize_chinese_chars},
               {"model_max_length", max_length}};
  for (const auto& [role, token] : special_tokens) json[role] = place(token) == vocabulary.end() ? Json() : Json(token);
  for (const std::string& token : options.added_tokens)
    json["added_tokens_decoder"][std::to_string(place(token) - vocabulary.begin())] = {
        {"content", token},
        {"lstrip", false},
        {"rstrip", false},
        {"single_word", false},
        {"normalized", false},
        {"special", std::ranges::find(special_tokens, token, &SpecialToken::text) != special_tokens.end()}};
  return json;
}

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

int64_t export_hf(const Model& model, const fs::path& directory) {
  require_f32(model, "export");
  const std::string vocabulary = vocabulary_text(model.tokenizer, model.source);
  Json config = config_to_json(simplest(model.config));
  config["pad_token_id"] = model.tokenizer.pad();
  model.store.settle();
  std::map<std::string, Tensor> tensors;
  for (const Parameter* p : model.store.all()) tensors[p->name] = p->value;

  AtomicFolder folder(directory);
  const fs::path& to = folder.temporary();
  write_file(to / "config.json", config.dump(2) + '\n');
  write_file(to / "vocab.txt", vocabulary);
  write_file(to / "tokenizer_config.json",
             tokenizer_to_json(model.tokenizer, model.config.max_position_embeddings).dump(2) + '\n');
  write_safetensors(to / "model.safetensors", tensors, {{"format", "pt"}});
  int64_t bytes = 0;
  for (const char* name : file_names) bytes += static_cast<int64_t>(fs::file_size(to / name));
  folder.commit();
  return bytes;
}

}  // namespace espalier
