// SPDX-License-Identifier: Apache-2.0
#include "nn/heads/label_parts.h"

namespace espalier {
namespace {

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::vector<std::string_view> label_parts(std::string_view text) {
  std::vector<std::string_view> parts;
  const char between = text.find(',') == std::string_view::npos ? ' ' : ',';
  for (text = trimmed(text); !text.empty();) {
    const size_t end = text.find(between);
    parts.push_back(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) break;
    text = trimmed(text.substr(end + 1));
    if (text.empty()) parts.emplace_back();  // behind a comma at the end
  }
  return parts;
}

}  // namespace espalier
