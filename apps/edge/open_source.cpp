// SPDX-License-Identifier: Apache-2.0
// Edge files alone: the runtime has no HDF5.
#include "apps/inference/handle.h"

namespace espalier {

espalier_classifier open_source(const std::string& path, const SourceOptions& options) {
  return open_edge(EdgeFile(path), options);
}

}  // namespace espalier
