// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/man_page.h"

#include <algorithm>
#include <cctype>
#include <sstream>

#include "apps/cli/help.h"

namespace espalier {
namespace {

// Text as troff shows it unchanged, also at the beginning of a line.
std::string troff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (out.empty() || out.back() == '\n')
      if (c == '.' || c == '\'') out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  return out;
}

std::string entry(const std::string& left, const std::string& help) {
  return ".TP\n" + left + "\n" + troff(help) + "\n";
}

std::string entry(const Option& row) {
  std::string left = "\\fB" + troff(row.shown()) + "\\fR";
  if (row.form != Option::Form::flag) left += " \\fI" + troff(row.type) + "\\fR";
  if (row.form == Option::Form::list) left += " ...";
  std::string help = row.help;
  if (row.required) help += " (required)";
  if (row.shows_default) help += " (default: " + row.text() + ")";
  return entry(left, help);
}

// Lines that are indented keep their places, others flow.
std::string paragraphs(const std::string& text) {
  std::istringstream lines(text);
  std::string out;
  bool as_it_is = false;
  for (std::string line; std::getline(lines, line);) {
    const bool indented = line.starts_with(' ');
    if (indented != as_it_is) out += indented ? ".PP\n.nf\n" : ".fi\n.PP\n";
    as_it_is = indented;
    if (!line.empty()) out += troff(line) + '\n';
  }
  return out + (as_it_is ? ".fi\n" : "");
}

}  // namespace

std::string man_page(const std::string& program, const std::string& description, Options& rows) {
  const size_t at = description.find("Example: ");
  const std::string text = description.substr(0, at), first = text.substr(0, text.find_first_of("\n:;"));
  std::string title = program, usage, arguments, groups, heading;
  std::ranges::transform(title, title.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  for (const Option* option : listed(rows)) {
    const Option& row = *option;
    if (row.positional) {
      const std::string name = troff(row.name) + (row.form == Option::Form::list ? "..." : "");
      usage += row.required ? " \\fI" + name + "\\fR" : " [\\fI" + name + "\\fR]";
      arguments += entry(row);
      continue;
    }
    if (row.heading != heading) groups += ".SS " + troff(heading = row.heading) + '\n';
    groups += entry(row);
  }
  std::string page = ".TH " + title + " 1 \"\" \"Espalier " ESPALIER_VERSION "\" Espalier\n.SH NAME\n" +
                     troff(program) + " \\- " + troff(first.substr(0, first.find_last_not_of('.') + 1)) +
                     "\n.SH SYNOPSIS\n\\fB" + troff(program) + "\\fR [\\fIOPTIONS\\fR]" + usage +
                     "\n.SH DESCRIPTION\n" + paragraphs(text);
  if (!arguments.empty()) page += ".SH ARGUMENTS\n" + arguments;
  page += ".SH OPTIONS\n" + entry("\\fB\\-h\\fR, \\fB\\-\\-help\\fR", "print a short help and exit") +
          entry("\\fB\\-\\-version\\fR", "print the version and exit") +
          entry("\\fB\\-\\-config\\fR \\fIFILE\\fR",
                "TOML file with the same options; flags given on the command line win") +
          groups;
  if (at != std::string::npos) page += ".SH EXAMPLE\n.nf\n" + troff(description.substr(at + 9)) + "\n.fi\n";
  return page + ".SH EXIT STATUS\n0, or 2 for a mistake in what was asked, 1 for a failure, 128 + N after signal N.\n";
}

}  // namespace espalier
