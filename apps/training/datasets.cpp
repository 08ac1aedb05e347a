// SPDX-License-Identifier: Apache-2.0
#include "apps/training/datasets.h"

#include <cstdlib>
#include <initializer_list>
#include <vector>

#include "core/check.h"
#include "core/quoted.h"
#include "data/text/demo_corpus.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

// The one file in the folder with one of these names; empty where there is none.
fs::path one_of(const fs::path& folder, std::initializer_list<const char*> names) {
  std::vector<std::string> found;
  std::error_code ignored;
  for (const char* name : names)
    for (const char* end : {".tsv", ".csv", ".jsonl", ".json"})
      if (fs::exists(folder / (std::string(name) + end), ignored)) found.push_back(std::string(name) + end);
  CHECK(found.size() <= 1, folder.string(), ": has ", quoted(found), "; expected one of them: name the file, with ",
        *names.begin() == std::string("train") ? "--data" : "--dev-data");
  return found.empty() ? fs::path() : folder / found.front();
}

DataFiles files_in(const fs::path& wanted, const std::string& note) {
  DataFiles files{{}, {}, wanted.string(), note};
  std::error_code ignored;
  if (!fs::is_directory(wanted, ignored) && (fs::exists(wanted, ignored) || wanted.has_extension())) {
    files.train = wanted;
    return files;
  }
  files.train = one_of(wanted, {"train"});
  if (files.train.empty()) files.train = wanted / "train.tsv";
  files.dev = one_of(wanted, {"dev", "validation", "valid", "dev_matched"});
  return files;
}

}  // namespace

std::string data_of_environment() {
  const char* const folder = std::getenv("ESPALIER_DATA");
  return folder == nullptr ? "" : folder;
}

DataFiles find_data(const std::string& wanted, bool may_write) {
  if (!wanted.empty()) return files_in(wanted, "data: " + wanted);
  if (const std::string folder = data_of_environment(); !folder.empty())
    return files_in(folder, "data: " + folder + " (ESPALIER_DATA)");
  const fs::path sst2 = "runs/data/sst2", demo = "runs/data/demo";
  if (fs::exists(sst2 / "train.tsv")) return files_in(sst2, "data: " + sst2.string());
  if (!fs::exists(demo / "train.tsv") || !fs::exists(demo / "dev.tsv")) {
    CHECK(may_write, "data: neither named nor found, and a dry run does not write the built-in synthetic reviews to ",
          demo.string(), "; name a folder with --data");
    write_demo_corpus(demo, 0);
  }
  return files_in(demo, "data: " + demo.string() +
                            ", the built-in synthetic film reviews (no SST-2 was named or found; --data DIR names it)");
}

}  // namespace espalier
