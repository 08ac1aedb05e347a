// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets share: files with the bytes that libFuzzer made up, and laws that must hold for them. A target
// is one source with LLVMFuzzerTestOneInput; anything that a reader throws beside Error and Failure ends the program,
// and so does a law that does not hold. Both are findings.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "core/check.h"

namespace espalier::fuzz {

// Ends the program as a finding unless it holds.
inline void law(bool holds, std::string_view what) {
  if (holds) return;
  std::cerr << "law broken: " << what << '\n';
  std::abort();
}

// What libFuzzer made up last.
inline std::string_view input;

inline std::string_view text_of(const uint8_t* bytes, size_t size) {
  return input = {reinterpret_cast<const char*>(bytes), size};
}

// Whether the action takes its input; what it refuses must be said in a text of the project's own that begins with
// `source`, where one is given.
template <class Action>
bool accepts(const Action& action, std::string_view source = {}) {
  std::string text;
  try {
    action();
    return true;
  } catch (const Error& error) { text = error.what(); } catch (const Failure& failure) {
    text = failure.what();
  }
  law(text.starts_with(source), "an error names its file first: " + text);
  constexpr std::string_view foreign = "json.exception";
  law(text.find(foreign) == std::string::npos || input.find(foreign) != std::string::npos,
      "no error has a library's words: " + text);
  return false;
}

// A folder of this process, removed at its end.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("espalier_fuzz." + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

  // A file with these bytes; none for an empty text.
  std::filesystem::path put(std::string_view name, std::string_view bytes) const {
    std::filesystem::remove(path_ / name);
    if (!bytes.empty())
      std::ofstream(path_ / name, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

inline const Folder& folder() {
  static const Folder folder;
  return folder;
}

// The parts of an input that stands for several files, which a line "---" separates; as many as are asked for.
inline std::vector<std::string_view> parts_of(std::string_view text, size_t count) {
  constexpr std::string_view line = "\n---\n";
  std::vector<std::string_view> parts;
  while (parts.size() + 1 < count) {
    const size_t end = text.find(line);
    parts.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + line.size());
  }
  parts.push_back(text);
  return parts;
}

}  // namespace espalier::fuzz
