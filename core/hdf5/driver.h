// SPDX-License-Identifier: Apache-2.0
// The file access below HDF5. The library crashes at the end of the process when the system refuses a write, as a full
// disk does; this driver remembers the error and tells the library that all is well. Used by core/hdf5/file only.
#pragma once

#include <hdf5.h>

namespace espalier {

// Lets files that are opened or created with these access properties go through the driver. `error` must outlive them:
// it becomes the errno of the first write that fails. While it is not 0 nothing is written.
void set_driver(hid_t access_properties, int* error);

}  // namespace espalier
