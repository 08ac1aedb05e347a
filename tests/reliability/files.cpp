// SPDX-License-Identifier: Apache-2.0
#include "tests/reliability/files.h"

#include <algorithm>

namespace espalier {

std::vector<nlohmann::json> without_times(const std::string& log) {
  auto objects = objects_of(log);
  for (auto& object : objects)
    for (const char* name : {"examples_per_second", "eval_runtime", "eval_samples_per_second", "eval_steps_per_second"})
      object.erase(name);
  return objects;
}

namespace {

// The places of two texts where they begin to differ.
std::string difference(const std::string& a, const std::string& b) {
  const auto at = static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
  const size_t first = at < 150 ? 0 : at - 150;
  return "byte " + std::to_string(at) + " of " + std::to_string(a.size()) + " and " + std::to_string(b.size()) + ": " +
         testing::PrintToString(a.substr(first, 300)) + " and " + testing::PrintToString(b.substr(first, 300));
}

}  // namespace

Files files_in(const std::filesystem::path& folder) {
  Files files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::string& bytes = files[entry.path().lexically_relative(folder).string()] = read_bytes(entry.path());
    if (entry.path().filename() == "metrics.jsonl") bytes = nlohmann::json(without_times(bytes)).dump();
    if (entry.path().extension() == ".html")
      bytes = bytes.substr(0, 100) + bytes.substr(bytes.rfind('\n', bytes.size() - 2));
  }
  return files;
}

Around failing_writes(std::vector<std::string> settings) {
  settings.emplace_back("LD_PRELOAD=" ESPALIER_TESTS_BUILD_DIR "/libfailing_writes.so");
  settings.emplace_back("ASAN_OPTIONS=verify_asan_link_order=0");
  return {.environment = std::move(settings)};
}

void expect_same(const Files& found, const Files& expected, const std::string& after) {
  for (const auto& [name, bytes] : expected) {
    const auto ours = found.find(name);
    EXPECT_TRUE(ours != found.end()) << name << " is missing after " << after;
    EXPECT_TRUE(ours == found.end() || ours->second == bytes)
        << name << " differs after " << after << " at " << difference(ours->second, bytes);
  }
  for (const auto& [name, bytes] : found) EXPECT_TRUE(expected.contains(name)) << name << " is left after " << after;
}

}  // namespace espalier
