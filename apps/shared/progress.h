// SPDX-License-Identifier: Apache-2.0
// A progress bar for long work: one line that redraws itself on a terminal, a plain line now and then elsewhere.
#pragma once

#include <cstdint>
#include <string>

#include "apps/shared/timing.h"

namespace espalier {

class Progress {
 public:
  // Silent when `shown` is false. Draws to stderr when machine-readable output owns stdout.
  Progress(int64_t total, bool shown, bool to_stderr);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(int64_t done, const std::string& text);  // cheap: draws a few times a second at most
  void print(const std::string& line);                 // a line of its own, above the bar

 private:
  void clear();

  int64_t total_, first_ = -1;
  bool shown_, terminal_, drawn_ = false;
  std::FILE* out_;
  Stopwatch start_, last_;  // since the first update, since the last drawing
};

}  // namespace espalier
