// SPDX-License-Identifier: Apache-2.0
// Lines: the one way in which text is read line by line, from files and from standard input. Used for TSV files,
// vocab.txt, plain text, and by the programs that read standard input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "core/check.h"
#include "core/input_file.h"

namespace espalier {

// Lines are UTF-8 and end with \n or \r\n; a byte order mark at the start is left out. Errors name file and line: for a
// NUL byte, for bytes that are not UTF-8, for UTF-16 and UTF-32, for a line of more than 64 MiB, and where reading
// fails.
class Lines {
 public:
  // Records: blank lines at the end are none, one between others is an Error, and so is a \r inside of a line, where
  // Python would end the line and others would not. Sentences: a blank line is an empty one, a \r is white space.
  // Pieces: what a format of its own takes apart; they keep their ends.
  enum class Of { records, sentences, pieces };
  static constexpr int64_t any_size = std::numeric_limits<int64_t>::max();

  // A file. `expected` is what it should hold, for messages: "one token per line". Throws Error unless it is a regular
  // file of at most `largest` bytes.
  Lines(const std::filesystem::path& path, Of kind, std::string expected, int64_t largest = int64_t{4} << 30);
  // Standard input, of which a line is given as soon as it is there. Sentences.
  static Lines of_standard_input();

  // The next line, valid until the next call; false at the end.
  bool next(std::string_view& line);
  int64_t number() const { return number_; }  // of that line, from 1
  // Whether next() would return without waiting for input. Throws Error where reading fails.
  bool ready();

  int64_t size() const;  // bytes of a regular file; 0: of something else
  int64_t given() const { return read_ - std::ssize(buffer_) + static_cast<int64_t>(used_); }  // bytes, so far

  // Throws Error about that line.
  template <class... Parts>
  [[noreturn]] void wrong(const Parts&... parts) const {
    wrong_at(number_, parts...);
  }
  template <class... Parts>
  [[noreturn]] void wrong_at(int64_t number, const Parts&... parts) const {
    fail(name_, ":", number, ": ", parts...);
  }

 private:
  Lines() = default;
  bool next_raw(std::string_view& line);
  std::size_t line_end();
  int descriptor() const;
  void check(std::string_view line) const;
  void check_start() const;
  bool fill();

  std::string name_ = "standard input", expected_ = "a sentence";
  Of kind_ = Of::sentences;
  std::unique_ptr<InputFile> file_;      // null: standard input
  std::string buffer_;                   // what was read and is not given yet begins at used_
  std::size_t used_ = 0, searched_ = 0;  // from used_ on, so many bytes hold no line's end
  int64_t number_ = 0, read_ = 0;
  bool ended_ = false;
};

}  // namespace espalier
