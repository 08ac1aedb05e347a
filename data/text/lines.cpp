// SPDX-License-Identifier: Apache-2.0
#include "data/text/lines.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "data/text/unicode_classes.h"

namespace espalier {
namespace {

constexpr std::size_t longest_line = std::size_t{64} << 20, chunk = std::size_t{1} << 16;

// Text in one byte for each character, mostly ASCII, such as Latin-1 or Windows-1252.
std::string_view legacy_hint(std::string_view line) {
  const auto above = std::ranges::count_if(line, [](char c) { return static_cast<unsigned char>(c) > 0x7f; });
  return 2 * above <= std::ssize(line) ? "; it may be Latin-1: iconv -f LATIN1 -t UTF-8" : "";
}

}  // namespace

Lines::Lines(const std::filesystem::path& path, Of kind, std::string expected, int64_t largest)
    : name_(path.string()), expected_(std::move(expected)), kind_(kind), file_(std::make_unique<InputFile>(path)) {
  CHECK(file_->size() <= largest, name_, ": has ", file_->size(), " bytes; expected ", expected_, ", at most ", largest,
        " bytes in all");
}

Lines Lines::of_standard_input() { return {}; }

bool Lines::next(std::string_view& line) {
  if (!next_raw(line)) return false;
  if (kind_ != Of::records || !line.empty()) return true;
  const int64_t blank = number_;
  while (next_raw(line))
    if (!line.empty()) wrong_at(blank, "is blank; expected ", expected_, ", and blank lines at the end only");
  return false;
}

bool Lines::ready() {
  while (line_end() == buffer_.npos && !ended_ && buffer_.size() - used_ <= longest_line) {
    pollfd input{.fd = descriptor(), .events = POLLIN, .revents = 0};
    if (::poll(&input, 1, 0) <= 0) return false;
    fill();
  }
  return true;
}

int Lines::descriptor() const { return file_ ? file_->descriptor() : STDIN_FILENO; }

int64_t Lines::size() const {
  struct stat status {};
  return fstat(descriptor(), &status) == 0 && S_ISREG(status.st_mode) ? status.st_size : 0;
}

// Where the next line ends in the buffer; npos where that has not been read.
std::size_t Lines::line_end() {
  const std::size_t end = buffer_.find('\n', used_ + searched_);
  searched_ = std::min(end, buffer_.size()) - used_;
  return end;
}

bool Lines::next_raw(std::string_view& line) {
  std::size_t end = line_end();
  while (end == buffer_.npos && buffer_.size() - used_ <= longest_line && fill()) end = line_end();
  if (end == buffer_.npos && used_ == buffer_.size()) return false;
  const std::size_t size = std::min(end, buffer_.size()) - used_, with_end = size + (end == buffer_.npos ? 0 : 1);
  if (size > longest_line) wrong_at(number_ + 1, "is longer than ", longest_line, " bytes; expected ", expected_);
  if (++number_ == 1) check_start();
  line = std::string_view(buffer_).substr(used_, kind_ == Of::pieces ? with_end : size);
  used_ += with_end;
  searched_ = 0;
  if (number_ == 1 && line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);
  if (line.ends_with('\r') && kind_ != Of::pieces) line.remove_suffix(1);
  check(line);
  return true;
}

// A line break in UTF-16 is a byte of its own, so the first line tells.
void Lines::check_start() const {
  const auto start = std::string_view(buffer_).substr(used_, 2);
  if (start == "\xff\xfe" || start == "\xfe\xff")
    wrong("begins as UTF-16 or UTF-32 does; expected UTF-8: save the file as UTF-8");
}

void Lines::check(std::string_view line) const {
  if (line.find('\0') != line.npos) {
    const bool wide = number_ == 1 && line.size() > 1 && (line[0] == '\0') != (line[1] == '\0');
    wrong("holds a NUL byte", wide ? ", as UTF-16 does" : "", "; expected UTF-8 text: save the file as UTF-8");
  }
  if (!is_utf8(line))
    wrong("is not UTF-8; expected ", expected_, " in UTF-8: save the file as UTF-8", legacy_hint(line));
  if (kind_ == Of::records && line.find('\r') != line.npos)
    wrong("holds a carriage return that is not at its end; expected lines that end with \\n or \\r\\n");
}

// Reads more behind what is left, which moves to the front of the buffer. False at the end.
bool Lines::fill() {
  if (ended_) return false;
  buffer_.erase(0, used_);
  used_ = 0;
  const std::size_t size = buffer_.size();
  buffer_.resize(size + std::max(chunk, size));
  ssize_t count = -1;
  do {
    count = ::read(descriptor(), buffer_.data() + size, buffer_.size() - size);
  } while (count < 0 && errno == EINTR);
  const int error = errno;
  buffer_.resize(size + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  CHECK(count >= 0, name_, ": cannot be read: ", std::strerror(error));
  ended_ = count == 0;
  read_ += count;
  return !ended_;
}

}  // namespace espalier
