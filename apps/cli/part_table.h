// SPDX-License-Identifier: Apache-2.0
// The table of a model's parts, for people and as JSON. Used by inspect, prune and report.
#pragma once

#include <string>
#include <vector>

#include "compress/report.h"
#include "core/record.h"

namespace espalier {

// "8, 32": how many bits the part's numbers have in a file.
std::string bits_of(const PartReport& part);

void print_parts(const std::vector<PartReport>& parts);
Record parts_to_json(const std::vector<PartReport>& parts);

// Plain words on what gets smaller and faster from the one model to the other, and what does not.
std::string what_it_brings(const PartReport& before, const PartReport& after);
Record brings_to_json(const PartReport& before, const PartReport& after);

// Bytes of a checkpoint, or of a Hugging Face directory's weights; 0 where there is no file.
int64_t size_of_model(const std::string& source);

}  // namespace espalier
