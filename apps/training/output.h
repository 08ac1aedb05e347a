// SPDX-License-Identifier: Apache-2.0
// What a program does about a file that stands where it will write: a word on what is replaced.
#pragma once

#include <filesystem>
#include <string>

#include "core/options.h"
#include "core/ranks.h"
#include "data/files/file_lock.h"

namespace espalier {

// --overwrite, for the option that names the file: `option`, such as "output".
void declare_overwrite(Options& rows, bool& overwrite, const std::string& option = "output");

void say_always(const std::string& line);  // on stderr, also with --quiet; of rank 0

enum class Written { checkpoint, text };

// To be called when the program is about to begin: where there is a file already that --overwrite does not give up, one
// line says that it is replaced. Throws Error for a checkpoint that would replace a file of another kind.
void announce_replaced(const std::filesystem::path& file, bool overwrite, Written written);

// The file that a program writes; of several ranks, the first.
struct OutputFile {
  std::string path = {};  // empty: none is wanted
  bool overwrite = false;

  // The option that names it, and --overwrite.
  OptionRow<std::string> declare(Options& rows, const std::string& name, const std::string& help);
  bool wanted() const { return !path.empty(); }
  FileLock lock() const {
    return wanted() && is_first_rank() ? FileLock(path) : FileLock();
  }  // to be held until it is written
  void announce_replaced(Written written) const { espalier::announce_replaced(path, overwrite, written); }
};

}  // namespace espalier
