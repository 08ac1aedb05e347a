// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/help.h"

#include <set>

namespace espalier {
namespace {

std::string line(std::string left, const std::string& right) {
  constexpr size_t width = 48;  // for names with their defaults
  left = "  " + left;
  left += left.size() + 1 < width ? std::string(width - left.size(), ' ') : "\n" + std::string(width, ' ');
  return left + right + "\n";
}

std::string line_of(const Option& row) {
  std::string left = row.shown();
  if (row.form != Option::Form::flag) left += std::string(" ") + row.type;
  if (row.shows_default) left += "=" + row.text();
  if (row.form == Option::Form::list) left += " ...";
  return line(left + (row.required ? " REQUIRED" : ""), row.help);
}

}  // namespace

std::vector<const Option*> listed(Options& rows) {
  std::set<std::string> seen;
  std::vector<const Option*> list;
  for (const Option& row : rows.rows())
    if (seen.insert(row.name).second) list.push_back(&row);
  return list;
}

std::string help_text(const std::string& program, const std::string& description, Options& rows) {
  std::string usage, positionals, common, groups, heading;
  for (const Option* option : listed(rows)) {
    const Option& row = *option;
    if (row.positional) {
      const std::string name = row.name + (row.form == Option::Form::list ? "..." : "");
      usage += row.required ? " " + name : " [" + name + "]";
      positionals += line_of(row);
    } else if (row.heading.empty()) {
      common += line_of(row);
    } else {
      if (row.heading != heading) groups += "\n" + (heading = row.heading) + ":\n";
      groups += line_of(row);
    }
  }
  if (!positionals.empty()) positionals = "Positionals:\n" + positionals + "\n";
  return description + "\nUsage: " + program + " [OPTIONS]" + usage + "\n\n" + positionals + "Options:\n" +
         line("-h, --help", "print this help and exit") + line("--version", "print the version and exit") +
         line("--config FILE", "TOML file with the same options; flags given on the command line win") + common +
         groups;
}

}  // namespace espalier
