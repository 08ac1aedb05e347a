// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/completion.h"

#include "apps/cli/help.h"

namespace espalier {
namespace {

using OptionList = std::vector<const Option*>;

bool may_be_file(const Option& row) { return row.choices.empty() && (row.type == "TEXT" || row.type == "PATH"); }

std::string words(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& word : list) text += (text.empty() ? "" : " ") + word;
  return text;
}

// Within single quotes, with a backslash before each of `special`.
std::string escaped(const std::string& text, const std::string& special) {
  std::string out;
  for (const char c : text) {
    if (special.find(c) != std::string::npos) out += '\\';
    out += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return out;
}

// With -o default bash itself offers files where the function offers nothing.
std::string for_bash(const std::string& program, const OptionList& rows) {
  std::string names = "--help --version --config", values;
  for (const Option* row : rows) {
    if (row->positional) continue;
    names += " --" + row->name;
    const std::string offered = !row->choices.empty()                      ? words(row->choices)
                                : may_be_file(*row) || !row->shows_default ? ""
                                                                           : row->first_text;
    if (row->form != Option::Form::flag)
      values += "    --" + row->name + ") offered='" + escaped(offered, "") + "' ;;\n";
  }
  const std::string function = "_espalier_" + program;
  return function +
         "() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} offered=\n"
         "  if [[ $current = '=' ]]; then current=; elif [[ $before = '=' ]]; then "
         "before=${COMP_WORDS[COMP_CWORD - 2]}; fi\n"
         "  case $before in\n" +
         values + "    *) [[ $current != -* ]] || offered='" + names +
         "' ;;\n"
         "  esac\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$offered\" -- \"$current\")\n"
         "}\ncomplete -o default -F " +
         function + " " + program + "\n";
}

std::string for_zsh(const std::string& program, const OptionList& rows) {
  std::string text = "#compdef " + program + "\n_arguments '--help[print a help]' '--version[print the version]' " +
                     "'--config[TOML file with options]:FILE:_files'";
  bool positional = false;
  for (const Option* row : rows) {
    positional = positional || row->positional;
    if (row->positional) continue;
    text += " \\\n  '" + std::string(row->form == Option::Form::list ? "*" : "") + "--" + row->name + "[" +
            escaped(row->help, "[]\\") + "]";
    if (row->form != Option::Form::flag) {
      text += ":" + row->type + ":";
      if (!row->choices.empty())
        text += "(" + escaped(words(row->choices), ":()\\") + ")";
      else if (may_be_file(*row))
        text += "_files";
    }
    text += "'";
  }
  return text + (positional ? " \\\n  '*:TEXT:_files'\n" : "\n");
}

std::string for_fish(const std::string& program, const OptionList& rows) {
  const std::string start = "complete -c " + program + " -l ";
  std::string text = start + "help -d 'print a help'\n" + start + "version -d 'print the version'\n" + start +
                     "config -r -d 'TOML file with options'\n";
  for (const Option* row : rows) {
    if (row->positional) continue;
    text += start + row->name;
    if (row->form != Option::Form::flag) text += may_be_file(*row) ? " -r" : " -x";
    if (!row->choices.empty() && row->form != Option::Form::flag)
      text += " -a '" + escaped(words(row->choices), "\\") + "'";
    text += " -d '" + escaped(row->help, "\\") + "'\n";
  }
  return text;
}

}  // namespace

std::string completion(const std::string& shell, const std::string& program, Options& rows) {
  const OptionList all = listed(rows);
  if (shell == "bash") return for_bash(program, all);
  if (shell == "zsh") return for_zsh(program, all);
  if (shell == "fish") return for_fish(program, all);
  fail("--completion=", shell, ": choose bash, zsh or fish");
}

}  // namespace espalier
