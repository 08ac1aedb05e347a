// SPDX-License-Identifier: Apache-2.0
#include "data/text/tsv.h"

#include <string_view>

#include "core/check.h"
#include "core/quoted.h"
#include "data/files/atomic_file.h"

namespace espalier {

void write_tsv(const std::filesystem::path& path, const Dataset& dataset) {
  std::string text = "sentence";
  if (dataset.pairs) text += "\tsentence2";
  if (dataset.labelled) text += "\tlabel";
  text += '\n';
  const auto add = [&](const char* separator, const std::string& field) {
    CHECK(field.find_first_of(std::string_view("\t\r\n\0", 4)) == std::string::npos, path.string(), ": cannot hold ",
          quoted(field), "; expected text without tab, line break and NUL");
    text.append(separator).append(field);
  };
  for (const Example& example : dataset.examples) {
    CHECK(dataset.pairs || dataset.labelled || !example.first.empty(), path.string(),
          ": cannot hold an empty text as its only column, which would be a blank line");
    add("", example.first);
    if (dataset.pairs) add("\t", example.second);
    if (dataset.labelled) text += '\t' + std::to_string(example.label);
    text += '\n';
  }
  write_file(path, text);
}

}  // namespace espalier
