// SPDX-License-Identifier: Apache-2.0
#include "apps/training/datasets.h"

#include <cstdlib>

#include "core/check.h"
#include "data/text/demo_corpus.h"

namespace espalier {

std::string data_of_environment() {
  const char* const folder = std::getenv("ESPALIER_DATA");
  return folder == nullptr ? "" : folder;
}

DataFolder find_data(const std::string& wanted, bool may_write) {
  if (!wanted.empty()) return {wanted, "data: " + wanted};
  if (const std::string folder = data_of_environment(); !folder.empty())
    return {folder, "data: " + folder + " (ESPALIER_DATA)"};
  const std::filesystem::path sst2 = "runs/data/sst2", demo = "runs/data/demo";
  if (std::filesystem::exists(sst2 / "train.tsv")) return {sst2, "data: " + sst2.string()};
  if (!std::filesystem::exists(demo / "train.tsv") || !std::filesystem::exists(demo / "dev.tsv")) {
    CHECK(may_write, "data: neither named nor found, and a dry run does not write the built-in synthetic reviews to ",
          demo.string(), "; name a folder with --data");
    write_demo_corpus(demo, 0);
  }
  return {demo, "data: " + demo.string() +
                    ", the built-in synthetic film reviews (no SST-2 was named or found; --data DIR names it)"};
}

}  // namespace espalier
