// SPDX-License-Identifier: Apache-2.0
// A zip archive whose members are stored as they are, as torch.save and numpy write it: where each lies in the file.
// Used by data/models/torch_file.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "core/input_file.h"

namespace espalier {

struct ZipMember {
  int64_t first = 0, bytes = 0;  // of its contents
};

// The members by their names, zip64 ones, too. Nothing is read of what they hold. Throws Error, naming the member, for
// a file that is no zip archive, for one that is cut off or damaged, and for a member that is compressed or encrypted.
std::map<std::string, ZipMember> zip_members(const InputFile& file);

}  // namespace espalier
