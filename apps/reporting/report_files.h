// SPDX-License-Identifier: Apache-2.0
// The files that `report` writes; the ending of a name says in which form.
#pragma once

#include <string>
#include <vector>

#include "apps/reporting/figures.h"
#include "core/options.h"
#include "data/files/file_lock.h"

namespace espalier {

struct ReportFiles {
  std::vector<std::string> paths = {};
  bool overwrite = false;

  void declare(Options& rows);         // --output and --overwrite
  std::vector<FileLock> lock() const;  // to be held until they are written
  void write(const std::vector<ModelFigures>& models, const ReportContext& context) const;
};

}  // namespace espalier
