// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/config_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "core/check.h"
#include "core/input_file.h"
#include "core/quoted.h"

#define TOML_ENABLE_FORMATTERS 0
#define TOML_EXCEPTIONS 0
#define TOML_MAX_NESTED_VALUES 16
#define TOML_ASSERT(condition) \
  static_cast<void>(0)  // what it asserts about the text, the parser reports behind it, too
#include <toml++/toml.h>

namespace espalier {
namespace {

constexpr int64_t largest_file = 1 << 20;
constexpr int64_t most_dots = 256;  // in a line: a name of many parts is as deep a tree

std::string place(const std::string& source, const toml::source_position& at) {
  return source + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

// What is expected where toml++ stopped. It has no codes for its errors, so this goes by its words.
std::string expected(std::string_view words) {
  struct Case {
    const char *part, *expected;
  };
  constexpr std::array<Case, 10> cases = {{
      {"nested value depth", "expected are lists and tables that nest less than 16 deep"},
      {"redefine", "each name and each table may be given once"},
      {"64 bits", "a whole number of up to 64 bits is expected"},
      {"utf-8", "UTF-8 is expected"},
      {"parsing array", "a list such as [1, 2], with a comma between its values and ] behind the last, is expected"},
      {"value type", "a number, true, false, [a list] or \"a text in quotes\" is expected"},
      {"boolean", "a number, true, false, [a list] or \"a text in quotes\" is expected"},
      {"parsing string", "a text in quotes is expected, closed on its line, with \\\\ for one \\"},
      {"table header", "a table such as [prune] on a line of its own is expected"},
      {"", "a line such as max-length = 64 or schedule = \"linear\" is expected"},
  }};
  return std::ranges::find_if(cases, [&](const Case& c) { return words.find(c.part) != words.npos; })->expected;
}

[[noreturn]] void explain(std::string_view text, const std::string& source, const toml::parse_error& error) {
  const toml::source_position at = error.source().begin;
  for (toml::source_index line = 1; line < at.line; ++line) text.remove_prefix(text.find('\n') + 1);
  text = text.substr(0, text.find_first_of("\r\n"));
  fail(place(source, at), ": found ", text.empty() ? "the end of the file" : quoted(text), "; ",
       expected(error.description()));
}

template <class Number>
std::string decimal(Number value) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

// 2.0 stays a number that is not whole.
std::string real(double value) {
  const std::string text = decimal(value);
  return text.find_first_not_of("-0123456789") == std::string::npos ? text + ".0" : text;
}

ConfigValue value_of(const toml::node& node, const std::string& source) {
  using Kind = ConfigValue::Kind;
  if (const auto* text = node.as_string()) return {Kind::text, text->get()};
  if (const auto* whole = node.as_integer()) return {Kind::whole_number, decimal(whole->get())};
  if (const auto* number = node.as_floating_point()) return {Kind::number, real(number->get())};
  if (const auto* truth = node.as_boolean()) return {Kind::truth, truth->get() ? "true" : "false"};
  fail(place(source, node.source().begin), ": found ",
       node.is_array()   ? "a list in a list"
       : node.is_table() ? "a table in a list"
                         : "a date or time",
       "; a number, true, false or \"a text in quotes\" is expected");
}

// Adds the entries of a table whose options begin with the prefix.
void add_entries(const toml::table& table, const std::string& prefix, const std::string& source,
                 std::vector<std::pair<toml::source_position, ConfigEntry>>& entries) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (const auto* inner = node.as_table()) {
      add_entries(*inner, name + ".", source, entries);
      continue;
    }
    ConfigEntry entry{.name = name, .place = place(source, node.source().begin)};
    if (const auto* list = node.as_array()) {
      entry.list = true;
      for (const toml::node& item : *list) entry.values.push_back(value_of(item, source));
    } else {
      entry.values.push_back(value_of(node, source));
    }
    entries.emplace_back(node.source().begin, std::move(entry));
  }
}

// Where the string that begins at `at` is over: behind its last quote, at the end of its line, or of the text.
size_t end_of_string(std::string_view text, size_t at) {
  const char quote = text[at];
  const std::string three(3, quote);
  const bool long_one = text.substr(at, 3) == three;
  for (at += long_one ? 3 : 1; at < text.size(); ++at) {
    if (quote == '"' && text[at] == '\\')
      ++at;
    else if (!long_one && (text[at] == quote || text[at] == '\n'))
      return at + 1;
    else if (long_one && text.substr(at, 3) == three)
      return std::min(text.find_first_not_of(quote, at), std::min(at + 5, text.size()));
  }
  return text.size();
}

// Refuses what toml++ 3.3 has no defined result for: names of very many parts, and letters beyond ASCII outside of
// strings and comments.
void check_text(std::string_view text, const std::string& source) {
  const auto where = [&](size_t at) {
    const std::string_view before = text.substr(0, at);
    const size_t start = before.rfind('\n') + 1;  // 0 on the first line
    return source + ':' + std::to_string(1 + std::ranges::count(before, '\n')) + ':' + std::to_string(1 + at - start);
  };
  int64_t dots = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    dots = text[at] == '\n' ? 0 : dots + (text[at] == '.' ? 1 : 0);
    CHECK(dots <= most_dots, where(at), ": has more than ", most_dots,
          " dots; one option, or one value of a list, is expected on a line");
  }
  for (size_t at = text.starts_with("\xef\xbb\xbf") ? 3 : 0; at < text.size();) {
    if (text[at] == '#')
      at = std::min(text.find('\n', at), text.size());
    else if (text[at] == '"' || text[at] == '\'')
      at = end_of_string(text, at);
    else
      CHECK(static_cast<unsigned char>(text[at++]) < 128, where(at - 1),
            ": has a letter that is not ASCII outside of quotes; put names and texts with such letters in quotes");
  }
}

}  // namespace

std::vector<ConfigEntry> read_config(std::string_view text, const std::string& source) {
  check_text(text, source);
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) explain(text, source, parsed.error());
  std::vector<std::pair<toml::source_position, ConfigEntry>> found;
  add_entries(parsed.table(), "", source, found);
  std::ranges::stable_sort(found, [](const auto& a, const auto& b) {
    return std::pair(a.first.line, a.first.column) < std::pair(b.first.line, b.first.column);
  });
  std::vector<ConfigEntry> entries;
  std::set<std::string> names;  // of [a] b = 1 and "a.b" = 1 the names are the same
  for (auto& [at, entry] : found) {
    CHECK(names.insert(entry.name).second, entry.place, ": ", quoted(std::string_view(entry.name)), " is given twice");
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<ConfigEntry> read_config_file(const std::string& path) {
  return read_config(read_file(path, largest_file), path);
}

}  // namespace espalier
