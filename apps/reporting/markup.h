// SPDX-License-Identifier: Apache-2.0
// Text of files and users inside HTML, SVG and Markdown.
#pragma once

#include <string>
#include <string_view>

namespace espalier {

// Fit for XML's text and for values in double quotes: <, >, &, quotes as entities; U+FFFD for control characters and
// for bytes that are not UTF-8.
std::string escaped(std::string_view text);

// Fit for a cell of a Markdown table: nothing in it has a meaning there, and it has one line.
std::string markdown_escaped(std::string_view text);

// The first characters, `most` >= 8 at most, "…" and the last ones.
std::string middle_left_out(const std::string& utf8, size_t most);

}  // namespace espalier
