// SPDX-License-Identifier: Apache-2.0
// JSON objects from files and from texts inside of files. Used by data/models/hf and data/models/checkpoint.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace espalier {

// Throws Error, beginning with `source`, for what is no JSON object or has more than 4 MB.
nlohmann::json parse_object(const std::string& text, const std::string& source);
nlohmann::json read_object(const std::filesystem::path& path);

// The number with the fewest decimals that is the same float: 0.1, not 0.10000000149011612.
double shortest(float value);

}  // namespace espalier
