// SPDX-License-Identifier: Apache-2.0
// What stands under a name before a file is written there. Used by AtomicFile, FileLock and AtomicFolder.
#pragma once

#include <filesystem>

namespace espalier {

// Where a file of that name is written: where a symbolic link leads, else the name itself. Throws Error for a link to
// nothing, a folder, a device or a pipe, and where the folder is missing.
std::filesystem::path output_path(const std::filesystem::path& name);

std::filesystem::path folder_of(const std::filesystem::path& file);  // "." for a mere name

// Throws Error for a symbolic link that leads to nothing.
void refuse_dangling_link(const std::filesystem::path& name);

// Whether the open file still goes by that name: another process may have renamed or removed it.
bool is_named(int file, const std::filesystem::path& path);

}  // namespace espalier
