// SPDX-License-Identifier: Apache-2.0
#include "apps/training/datasets.h"

#include <cstdlib>

#include "data/text/demo_corpus.h"

namespace espalier {

DataFolder find_data(const std::string& wanted) {
  if (!wanted.empty()) return {wanted, "data: " + wanted};
  if (const char* folder = std::getenv("ESPALIER_DATA"); folder != nullptr && *folder != '\0')
    return {folder, std::string("data: ") + folder + " (ESPALIER_DATA)"};
  const std::filesystem::path sst2 = "runs/data/sst2", demo = "runs/data/demo";
  if (std::filesystem::exists(sst2 / "train.tsv")) return {sst2, "data: " + sst2.string()};
  if (!std::filesystem::exists(demo / "train.tsv") || !std::filesystem::exists(demo / "dev.tsv")) {
    write_demo_corpus(demo, 0);
  }
  return {demo, "data: " + demo.string() +
                    ", the built-in synthetic film reviews (no SST-2 was named or found; --data DIR names it)"};
}

}  // namespace espalier
