// SPDX-License-Identifier: Apache-2.0
// What models are called in a report.
#pragma once

#include <string>
#include <vector>

namespace espalier {

// For each model the shortest ending of its path that no other one has, without ".h5": "dense", "seed1/int8". One that
// is there twice gets a number.
std::vector<std::string> short_names(const std::vector<std::string>& sources);

}  // namespace espalier
