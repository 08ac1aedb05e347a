// SPDX-License-Identifier: Apache-2.0
#include "tests/reliability/files.h"

namespace espalier {

std::vector<nlohmann::json> without_times(const std::string& log) {
  auto objects = objects_of(log);
  for (auto& object : objects)
    for (const char* name : {"examples_per_second", "eval_runtime", "eval_samples_per_second", "eval_steps_per_second"})
      object.erase(name);
  return objects;
}

Files files_in(const std::filesystem::path& folder) {
  Files files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::string& bytes = files[entry.path().lexically_relative(folder).string()] = read_bytes(entry.path());
    if (entry.path().filename() == "metrics.jsonl") bytes = nlohmann::json(without_times(bytes)).dump();
  }
  return files;
}

void expect_same(const Files& found, const Files& expected, const std::string& after) {
  for (const auto& [name, bytes] : expected) {
    const auto ours = found.find(name);
    EXPECT_TRUE(ours != found.end()) << name << " is missing after " << after;
    EXPECT_TRUE(ours == found.end() || ours->second == bytes) << name << " differs after " << after;
  }
  for (const auto& [name, bytes] : found) EXPECT_TRUE(expected.contains(name)) << name << " is left after " << after;
}

}  // namespace espalier
