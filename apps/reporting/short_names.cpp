// SPDX-License-Identifier: Apache-2.0
#include "apps/reporting/short_names.h"

#include <algorithm>
#include <filesystem>

#include "core/format.h"

namespace espalier {

std::vector<std::string> short_names(const std::vector<std::string>& sources) {
  const auto ending = [](const std::string& source, size_t parts) {
    std::filesystem::path rest = std::filesystem::path(source).lexically_normal(), name;
    if (rest.extension() == ".h5") rest.replace_extension();
    if (!rest.has_filename()) rest = rest.parent_path();  // a directory with a slash behind
    for (; parts > 0 && rest.has_filename(); --parts, rest = rest.parent_path())
      name = name.empty() ? rest.filename() : rest.filename() / name;
    return name.empty() ? source : name.string();
  };
  std::vector<std::string> names;
  for (const std::string& source : sources) {
    std::string& name = names.emplace_back();
    for (size_t parts = 1; parts < 32; ++parts) {
      name = ending(source, parts);
      if (std::ranges::count_if(sources, [&](const auto& other) { return ending(other, parts) == name; }) == 1) break;
    }
    if (std::ranges::count(names, name) > 1) name += format(" (%zu)", names.size());
  }
  return names;
}

}  // namespace espalier
