// SPDX-License-Identifier: Apache-2.0
// The file access below HDF5. It checks every byte that the library reads against the checksums at the end of the file,
// and appends those to a file that is written. And the library crashes at the end of the process when the system
// refuses a write, as a full disk does; this driver remembers the error and tells the library that all is well. Used by
// core/hdf5/file only.
#pragma once

#include <hdf5.h>

#include <memory>
#include <optional>
#include <string>

#include "core/hdf5/block_checksums.h"
#include "core/input_file.h"

namespace espalier {

// What the driver and the reader or writer of one file share.
struct Hdf5Access {
  // Of a file that is read.
  std::unique_ptr<InputFile> input = nullptr;
  std::optional<BlockChecksums> checksums = {};  // none: a file of before there were any, or of others
  int64_t damaged = -1;                          // the first block that differed from its checksum

  // Of a file that is written: the errno of the first write that failed. While it is not 0 nothing is written, also not
  // the checksums that complete the file when it is closed.
  int error = 0;

  // Why a call of the library has failed, to be put behind "cannot be read".
  std::string cause(const char* otherwise = "; the file is damaged or of another kind") const;
};

// Lets files that are opened or created with these access properties go through the driver. `access` must outlive them.
void set_driver(hid_t access_properties, Hdf5Access* access);

}  // namespace espalier
