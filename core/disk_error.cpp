// SPDX-License-Identifier: Apache-2.0
#include "core/disk_error.h"

#include <cerrno>
#include <cstring>

#include "core/check.h"

namespace espalier {

void refuse_writing(const std::string& what, int error) {
  const std::string text = what + ": " + std::strerror(error);
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EIO:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      throw Failure(text);
    default:
      throw Error(text);
  }
}

}  // namespace espalier
