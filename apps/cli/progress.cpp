// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/format.h"

namespace espalier {
namespace {

std::string clock_text(double seconds) {
  const auto s = static_cast<int64_t>(std::llround(seconds));
  return s >= 3600 ? format("%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60) : format("%ld:%02ld", s / 60, s % 60);
}

int64_t columns(std::FILE* terminal) {
  winsize size{};
  return ioctl(fileno(terminal), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// As much of a bar as fits beside the text, and no more of the text than fits: a wrapped line cannot be redrawn.
std::string drawing(double share, const std::string& text, int64_t room) {
  const int64_t width = std::min<int64_t>(24, room - 1 - std::ssize(text));
  if (width < 4) return text.substr(0, static_cast<size_t>(std::max<int64_t>(0, room)));
  const auto full = static_cast<int64_t>(share * static_cast<double>(width));
  std::string bar;
  for (int64_t i = 0; i < width; ++i) bar += i < full ? "█" : "░";
  return bar + " " + text;
}

}  // namespace

Progress::Progress(bool to_stderr)
    : terminal_(isatty(to_stderr ? STDERR_FILENO : STDOUT_FILENO) != 0), out_(to_stderr ? stderr : stdout) {}

Progress::~Progress() { clear(); }

void Progress::clear() {
  if (drawn_) std::fputs("\r\033[K", out_);
  drawn_ = false;
  std::fflush(out_);
}

void Progress::update(int64_t done, int64_t total, const std::string& text) {
  if (total != total_ || done < done_) {  // a resumed run begins in the middle; its speed is measured from there
    total_ = total;
    first_ = done - 1;
    start_ = {};
  }
  done_ = done;
  if (last_.seconds() < (terminal_ ? 0.15 : 10.0) && done != total_) return;
  last_ = {};
  const double share = total_ > 0 ? static_cast<double>(done) / static_cast<double>(total_) : 1;
  const int64_t fresh = done - first_ - 1;
  const std::string left = fresh > 0 || done == total_
                               ? clock_text(start_.seconds() / static_cast<double>(std::max<int64_t>(1, fresh)) *
                                            static_cast<double>(total_ - done))
                               : "?";
  std::string line = format("%ld/%ld ", done, total_) + text + "  left " + left;
  if (terminal_) {
    line = "\r\033[K" + drawing(share, line, columns(out_) - 1);
    drawn_ = true;
  } else {
    line = format("%5.1f %%  ", 100 * share) + line + "\n";
  }
  std::fputs(line.c_str(), out_);
  std::fflush(out_);
}

void Progress::print(const std::string& line) {
  clear();
  std::fputs((line + "\n").c_str(), out_);
  std::fflush(out_);
}

}  // namespace espalier
