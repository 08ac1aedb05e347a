// SPDX-License-Identifier: Apache-2.0
// What it means that the system refuses to make a file or folder. Used by core/hdf5, data/ and apps/training.
#pragma once

#include <string>

namespace espalier {

// Throws "what: reason", where `what` names the file and `error` is an errno: Failure for a disk that is full or
// broken, Error where the user can choose another name or folder.
[[noreturn]] void refuse_writing(const std::string& what, int error);

}  // namespace espalier
