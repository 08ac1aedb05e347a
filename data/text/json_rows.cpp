// SPDX-License-Identifier: Apache-2.0
#include "data/text/json_rows.h"

#include <nlohmann/json.hpp>

#include "core/quoted.h"

namespace espalier {
namespace {

using Json = nlohmann::json;

Json object_on(std::string_view line, const Lines& lines) {
  Json object = Json::parse(line, nullptr, false);
  if (object.is_object()) return object;
  const char* found = object.is_array() ? "is a JSON array" : "is no JSON object";
  const char* hint = "";
  if (object.is_array())
    hint = ": jq -c '.[]' FILE.json writes them";
  else if (lines.number() == 1 && !line.starts_with('{'))
    hint = line.find('\t') != line.npos  ? "; it looks like TSV: --format tsv"
           : line.find(',') != line.npos ? "; it looks like CSV: --format csv"
                                         : "";
  lines.wrong(found, "; expected JSON lines, an object on each line such as {\"sentence\": \"good\", \"label\": 1}",
              hint);
}

// A text, number or truth value as text; false for all else.
bool read_plain(const Json& value, std::string& text) {
  if (value.is_string())
    text = value.get_ref<const std::string&>();
  else if (value.is_number() || value.is_boolean())
    text = value.dump();
  else
    return false;
  return true;
}

void read_list(const Json& list, const std::string& name, const Lines& lines, std::string& text) {
  text.clear();
  std::string part;
  for (const Json& value : list) {
    if (!read_plain(value, part))
      lines.wrong(quoted(name), " is a list of more than texts and numbers; expected names or numbers");
    if (part.empty() || (value.is_string() && part.find(',') != part.npos))
      lines.wrong(quoted(name), " has ", quoted(part), " in its list; expected names without commas");
    text += (text.empty() ? "" : ", ") + part;
  }
  if (list.size() == 1 && part.find(' ') != part.npos) text += ", " + part;  // or its words would be names
}

}  // namespace

std::vector<std::string> JsonRows::start(Lines& lines) {
  std::string_view line;
  if (!lines.next(line)) return {};
  first_ = line;
  const Json object = object_on(line, lines);
  for (const auto& [name, value] : object.items()) columns_.push_back(name);
  values_.resize(columns_.size());
  return columns_;
}

void JsonRows::use(std::vector<size_t> columns, bool lists) {
  used_ = std::move(columns);
  lists_ = lists;
}

bool JsonRows::next(Lines& lines, std::vector<std::string_view>& fields) {
  std::string_view line = first_;
  if (!first_is_row_ && !lines.next(line)) return false;
  first_is_row_ = false;
  const Json object = object_on(line, lines);
  fields.assign(columns_.size(), {});
  for (const size_t i : used_) {
    const std::string& name = columns_[i];
    const auto found = object.find(name);
    if (found == object.end()) lines.wrong("has no ", quoted(name), ", which line 1 has; expected it on all lines");
    if (found->is_array() && !lists_)
      lines.wrong(quoted(name),
                  " is a list; expected one label: --task multi-label trains with several at once, "
                  "--task regression with several numbers");
    if (found->is_array())
      read_list(*found, name, lines, values_[i]);
    else if (!read_plain(*found, values_[i]))
      lines.wrong(quoted(name), " is ", found->is_null() ? "null" : "an object", "; expected a text or a number");
    if (values_[i].find('\0') != std::string::npos)
      lines.wrong(quoted(name), " holds a NUL character; expected text without");
    fields[i] = values_[i];
  }
  return true;
}

}  // namespace espalier
