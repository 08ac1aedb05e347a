// SPDX-License-Identifier: Apache-2.0
#include "data/files/json_file.h"

#include <array>
#include <charconv>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "core/input_file.h"

namespace espalier {
namespace {

constexpr int64_t largest = int64_t{4} << 20;  // bytes

}  // namespace

nlohmann::json parse_object(const std::string& text, const std::string& source) {
  CHECK(std::ssize(text) <= largest, source, ": has more than ", largest, " bytes; expected a small JSON object");
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
  return parse_object(read_file(path, largest), path.string());
}

double shortest(float value) {
  std::array<char, 32> text{};
  std::to_chars(text.data(), text.data() + text.size(), value);
  return std::strtod(text.data(), nullptr);
}

}  // namespace espalier
