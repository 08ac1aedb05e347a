// SPDX-License-Identifier: Apache-2.0
#include "apps/training/output.h"

#include <iostream>

#include "core/check.h"
#include "core/hdf5/file.h"
#include "core/ranks.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

bool has_content(const fs::path& file) {
  std::error_code ignored;
  return fs::is_regular_file(file, ignored) && fs::file_size(file, ignored) > 0;
}

}  // namespace

void declare_overwrite(Options& rows, bool& overwrite, const std::string& option) {
  rows.flag("overwrite", overwrite, "replace the file --" + option + " without a word, whatever it holds").free();
}

OptionRow<std::string> OutputFile::declare(Options& rows, const std::string& name, const std::string& help) {
  OptionRow<std::string> row = rows.add(name, path, help);
  declare_overwrite(rows, overwrite, name);
  return row;
}

void say_always(const std::string& line) {
  if (is_first_rank()) std::cerr << line << '\n';
}

void announce_replaced(const fs::path& file, bool overwrite, Written written) {
  if (overwrite || !is_first_rank() || !has_content(file)) return;
  CHECK(written != Written::checkpoint || begins_as_hdf5(file), file.string(),
        ": is there already and no checkpoint; choose another name, or give --overwrite to replace it");
  say_always(file.string() + ": what is there already will be replaced; --overwrite says that this is meant");
}

}  // namespace espalier
