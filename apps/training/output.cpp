// SPDX-License-Identifier: Apache-2.0
#include "apps/training/output.h"

#include <iostream>

#include "core/check.h"
#include "core/input_file.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

bool has_content(const fs::path& file) {
  std::error_code ignored;
  return fs::is_regular_file(file, ignored) && fs::file_size(file, ignored) > 0;
}

bool begins_as_hdf5(const fs::path& file) {
  const std::string signature = "\x89HDF\r\n\x1a\n";
  if (fs::file_size(file) < signature.size()) return false;
  std::string start(signature.size(), '\0');
  InputFile(file).read(0, std::as_writable_bytes(std::span(start)));
  return start == signature;
}

}  // namespace

void declare_overwrite(Options& rows, bool& overwrite, const std::string& option) {
  rows.flag("overwrite", overwrite, "replace the file --" + option + " without a word, whatever it holds").free();
}

void say_always(const std::string& line) { std::cerr << line << '\n'; }

void announce_replaced(const fs::path& file, bool overwrite, Written written) {
  if (overwrite || !has_content(file)) return;
  CHECK(written != Written::checkpoint || begins_as_hdf5(file), file.string(),
        ": is there already and no checkpoint; choose another name, or give --overwrite to replace it");
  say_always(file.string() + ": what is there already will be replaced; --overwrite says that this is meant");
}

}  // namespace espalier
