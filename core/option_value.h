// SPDX-License-Identifier: Apache-2.0
// OptionValue<T>: how the value of an option is read from text, written as text and kept in a record. A type of one's
// own specialises it beside its definition. Used by Options.
#pragma once

#include <cstdint>
#include <filesystem>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "core/choice.h"
#include "core/record.h"

namespace espalier {

// read: false unless all of the text is a value. expected: what the user is told then. type: for --help.
template <class T>
struct OptionValue;

template <>
struct OptionValue<int64_t> {
  static bool read(const std::string& text, int64_t& value);
  static std::string expected() { return "a whole number is expected"; }
  static constexpr const char* type = "INT";
};
template <>
struct OptionValue<int> {
  static bool read(const std::string& text, int& value);
  static std::string expected() { return OptionValue<int64_t>::expected(); }
  static constexpr const char* type = "INT";
};
template <>
struct OptionValue<uint64_t> {
  static bool read(const std::string& text, uint64_t& value);
  static std::string expected() { return "a whole number from 0 on is expected"; }
  static constexpr const char* type = "UINT";
};
template <>
struct OptionValue<double> {
  static bool read(const std::string& text, double& value);
  static std::string expected() { return "a number is expected"; }
  static constexpr const char* type = "FLOAT";
};
template <>
struct OptionValue<bool> {
  static bool read(const std::string& text, bool& value);
  static std::string expected() { return "true or false is expected"; }
  static constexpr const char* type = "BOOLEAN";
};
template <>
struct OptionValue<std::string> {
  static bool read(const std::string& text, std::string& value) { return value = text, true; }
  static std::string expected() { return "a text is expected"; }
  static constexpr const char* type = "TEXT";
};
template <>
struct OptionValue<std::filesystem::path> {
  static bool read(const std::string& text, std::filesystem::path& value) { return value = text, true; }
  static std::string expected() { return "a path is expected"; }
  static constexpr const char* type = "PATH";
};
template <class E>
requires std::is_enum_v<E>
struct OptionValue<E> {
  static bool read(const std::string& text, E& value) {
    const auto names = names_of<E>();
    for (size_t i = 0; i < names.size(); ++i)
      if (names[i] == text) return value = static_cast<E>(i), true;
    return false;
  }
  static std::string expected() { return "choose " + words_of(names_of<E>()); }
  static constexpr const char* type = "NAME";
};

// All values, where these are few.
template <class T>
std::vector<std::string> option_choices() {
  if constexpr (std::is_enum_v<T>)
    return names_of<T>();
  else if constexpr (std::is_same_v<T, bool>)
    return {"true", "false"};
  else
    return {};
}

inline std::string option_text(const std::string& value) { return value; }
inline std::string option_text(bool value) { return value ? "true" : "false"; }
inline std::string option_text(const std::filesystem::path& value) { return value.string(); }
template <class Row>
std::string option_text(const Choice<Row>& value) {
  return value->name;
}
template <class T>
std::string option_text(const T& value) {
  if constexpr (std::is_enum_v<T>) {
    return text_of(value);
  } else {
    std::ostringstream text;
    text << value;
    return text.str();
  }
}
template <class T>
std::string option_text(const std::vector<T>& values) {
  std::string text;
  for (const T& value : values) text += (text.empty() ? "" : ",") + option_text(value);
  return text;
}

// Numbers and truth values as such, everything else as its text; a list as a list.
template <class T>
Record option_record(const T& value) {
  if constexpr (std::is_arithmetic_v<T>)
    return {value};
  else
    return {option_text(value)};
}
template <class T>
Record option_record(const std::vector<T>& values) {
  Record list = Record::list();
  for (const T& value : values) list.append(option_record(value));
  return list;
}

}  // namespace espalier
