// SPDX-License-Identifier: Apache-2.0
#include "apps/training/split_data.h"

#include "core/check.h"
#include "core/format.h"

namespace espalier {

RunData read_run_data(DataFiles files, const TrainOptions& options, const Model& model, const Listener& listener) {
  if (!options.dev_data.empty()) files.dev = options.dev_data;
  const double share = options.validation_split;
  std::string told;
  const auto text_options = [&](const std::filesystem::path& file) {
    return TextOptions{.table = options.table, .say = [&listener, &told, file](const std::string& columns) {
                         if (columns != told) listener.say(file.string() + ": " + columns);
                         told = columns;
                       }};
  };
  const auto read = [&](const std::filesystem::path& file) {
    return read_text(file, model.tokenizer, model.bert->head(), options.max_length.tokens(), text_options(file));
  };
  RunData data;
  data.train_name = files.train.filename().string();
  data.dev_name = files.dev.filename().string();
  const bool split = share > 0;
  CHECK(!split || files.dev.empty(), "--validation-split: there is ", files.dev.string(),
        " to evaluate on; expected one of the two: leave the option out, or name the training file in --data");
  if (split) {
    auto parts = read_and_split(files.train, model.tokenizer, model.bert->head(), options.max_length.tokens(),
                                text_options(files.train), share, options.seed);
    data.train = std::move(parts.train);
    data.dev = std::move(parts.dev);
    data.dev_name = data.train_name + " (validation)";
  } else {
    data.train = read(files.train);
    CHECK(
        !files.dev.empty(), files.where, ": has no dev.tsv or validation.tsv (.csv, .jsonl) to evaluate on; expected ",
        "one in the folder that --data names, or --dev-data FILE, or --validation-split 0.1, which holds out a tenth");
    data.dev = read(files.dev);
  }
  data.note =
      files.note + format(": %ld training sentences of %.1f tokens, %ld dev sentences", data.train.sentences(),
                          static_cast<double>(data.train.tokens()) / static_cast<double>(data.train.sentences()),
                          data.dev.sentences());
  if (split) data.note += format(", held out by --validation-split %g, --seed %lu", share, options.seed);
  if (data.train.ids.in_file()) data.note += "; the tokens lie in a file (--data-memory)";
  return data;
}

}  // namespace espalier
