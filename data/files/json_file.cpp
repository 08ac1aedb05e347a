// SPDX-License-Identifier: Apache-2.0
#include "data/files/json_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "core/check.h"

namespace espalier {
namespace {

constexpr size_t largest = size_t{4} << 20;  // bytes

}  // namespace

nlohmann::json parse_object(const std::string& text, const std::string& source) {
  CHECK(text.size() <= largest, source, ": has more than ", largest, " bytes; expected a small JSON object");
  try {
    nlohmann::json json = nlohmann::json::parse(text);
    CHECK(json.is_object(), source, ": holds a JSON ", json.type_name(), "; expected an object");
    return json;
  } catch (const nlohmann::json::parse_error& error) {
    fail(source, ": is not JSON at byte ", error.byte, "; it is damaged or cut off");
  } catch (const nlohmann::json::out_of_range&) {  // how the JSON library calls 1e999
    fail(source, ": holds a number that is too large");
  }
}

nlohmann::json read_object(const std::filesystem::path& path) {
  std::error_code ignored;
  CHECK(!std::filesystem::is_directory(path, ignored), path.string(), ": is a directory; expected a file");
  std::ifstream file(path, std::ios::binary);
  CHECK(file, path.string(), ": cannot be opened: ", std::strerror(errno));
  std::string text(largest + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  CHECK(!file.bad(), path.string(), ": cannot be read");
  text.resize(static_cast<size_t>(file.gcount()));
  return parse_object(text, path.string());
}

}  // namespace espalier
