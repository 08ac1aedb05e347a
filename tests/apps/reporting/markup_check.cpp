// SPDX-License-Identifier: Apache-2.0
#include "tests/apps/reporting/markup_check.h"

#include <regex>
#include <set>
#include <vector>

namespace espalier {
namespace {

const std::regex entity("&(lt|gt|amp|quot|apos|#[0-9]+);");
const std::regex tag("<(/?)([a-zA-Z][a-zA-Z0-9]*)((?: +[a-zA-Z][a-zA-Z0-9-]*=\"[^\"<]*\")*) *(/?)>");
const std::regex attribute(" +([a-zA-Z][a-zA-Z0-9-]*)=\"([^\"<]*)\"");

bool has_stray_ampersand(const std::string& text) {
  return std::regex_replace(text, entity, "").find('&') != std::string::npos;
}

bool has_control(const std::string& text) {
  return text.find_first_of(std::string("\0\1\2\3\4\5\6\7\b\v\f\x0e\x0f\x1b\x7f", 15)) != std::string::npos;
}

}  // namespace

std::string fault_of_markup(const std::string& page) {
  const std::string doctype = "<!DOCTYPE html>\n";
  if (!page.starts_with(doctype)) return "no DOCTYPE";
  if (has_control(page)) return "a control character";
  std::vector<std::string> open;
  std::set<std::string> ids;
  for (size_t at = doctype.size(); at < page.size();) {
    const size_t next = std::min(page.find('<', at), page.size());
    const auto fault = [&](const std::string& what) { return what + ": " + page.substr(next, 120); };
    if (has_stray_ampersand(page.substr(at, next - at))) return fault("a stray & before");
    if (next == page.size()) break;
    const size_t end = page.find('>', next);
    if (end == std::string::npos) return fault("no >");
    const std::string text = page.substr(next, end + 1 - next);
    std::smatch parts;
    if (!std::regex_match(text, parts, tag)) return fault("no tag");
    const std::string name = parts[2], attributes = parts[3];
    std::set<std::string> names;
    for (std::sregex_iterator i(attributes.begin(), attributes.end(), attribute), none; i != none; ++i) {
      if (!names.insert((*i)[1]).second) return fault("an attribute twice");
      if (has_stray_ampersand((*i)[2])) return fault("a stray & in an attribute");
      if ((*i)[1] == "id" && !ids.insert((*i)[2]).second) return fault("an id twice");
    }
    if (parts[1].length() > 0) {
      if (open.empty() || open.back() != name) return fault("closes what is not open");
      open.pop_back();
    } else if (parts[4].length() == 0) {
      open.push_back(name);
    }
    at = end + 1;
  }
  return open.empty() ? "" : "still open: " + open.back();
}

}  // namespace espalier
