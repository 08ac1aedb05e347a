// SPDX-License-Identifier: Apache-2.0
// A progress bar for long work: one line that redraws itself on a terminal, a plain line now and then elsewhere.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include "apps/training/timing.h"

namespace espalier {

class Progress {
 public:
  explicit Progress(bool to_stderr);  // where machine-readable output owns stdout
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Cheap: draws a few times a second at most. Another total, or less done than before, begins another piece of work.
  void update(int64_t done, int64_t total, const std::string& text);
  void print(const std::string& line);  // a line of its own, above the bar
  void clear();                         // takes the bar away until the next update

 private:
  int64_t total_ = -1, first_ = 0, done_ = 0;  // first_: what was done before the first update
  bool terminal_, drawn_ = false;
  std::FILE* out_;
  Stopwatch start_, last_;  // since the first update, since the last drawing
};

}  // namespace espalier
