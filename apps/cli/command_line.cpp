// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

#include "core/format.h"

namespace espalier {
namespace {

// TOML whose table names are prefixes of options: amount = 0.5 under [prune] is --prune.amount 0.5.
class PrefixedToml : public CLI::ConfigTOML {
 public:
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    std::vector<CLI::ConfigItem> list;
    for (CLI::ConfigItem& item : CLI::ConfigTOML::from_config(input)) {
      if (item.name == "++" || item.name == "--") continue;  // where a table begins and ends
      item.name = item.fullname();
      item.parents.clear();
      list.push_back(std::move(item));
    }
    return list;
  }
};

// The text of a flag: one that is named without a value is on.
std::string flag_text(const std::string& text) {
  return text.empty() || text == "1" ? "true" : text == "0" || text == "-1" ? "false" : text;
}

// One option of CLI11 for all rows of a name.
void declare(CLI::App& app, const std::vector<Option*>& rows) {
  const Option& row = *rows.front();
  const auto set = [rows](const std::vector<std::string>& texts) {
    for (Option* r : rows) {
      r->given = true;
      r->set(texts == std::vector<std::string>{"{}"} ? std::vector<std::string>{} : texts);
    }
    return true;
  };
  CLI::Option* option = nullptr;
  if (row.form == Option::Form::flag) {
    option = app.add_flag("--" + row.name, row.help);
    option->each([set](const std::string& text) { set({flag_text(text)}); });
  } else {
    option = app.add_option((row.positional ? "" : "--") + row.name, set, row.help);
    option->type_name(row.type);
    if (row.shows_default) option->default_str(row.text());
    if (row.form == Option::Form::list) option->expected(1, CLI::detail::expected_max_vector_size)->allow_extra_args();
    if (row.by_commas) option->delimiter(',');
  }
  if (row.required) option->required();
  if (!row.heading.empty()) option->group(row.heading);
}

// Insertions, deletions, replacements and exchanges of neighbours from one word to the other.
size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i)
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

// "; did you mean --NAME?" for the option that is most like the word; nothing where none is.
std::string guess(const CLI::App& app, std::string word) {
  word = word.substr(0, std::min<size_t>(word.find('='), 64));
  std::string best;
  size_t least = 3;  // so many mistakes are another word
  for (const CLI::Option* option : app.get_options()) {
    const size_t mistakes =
        distance(word.substr(std::min(word.size(), word.find_first_not_of('-'))), option->get_single_name());
    if (mistakes >= least) continue;
    least = mistakes;
    best = option->get_single_name();
  }
  return best.empty() ? "" : "; did you mean --" + best + "?";
}

// CLI11's words for a mistake, made to name the file, the option and what is expected.
[[noreturn]] void explain(const CLI::App& app, const CLI::ParseError& error) {
  const std::string help = " (" + app.get_name() + " --help lists the options)", text = one_line(error.what());
  if (dynamic_cast<const CLI::ConfigError*>(&error) != nullptr) {
    const std::string parser = "INI was not able to parse ";
    const std::string word = text.starts_with(parser) ? text.substr(parser.size()) : text;
    fail(app.get_option("--config")->as<std::string>(), ": '", word,
         "' is not an option; lines such as max-length = 64 are expected", guess(app, word), help);
  }
  const auto unknown = app.remaining();
  if (!unknown.empty())
    fail("'", one_line(unknown.front()), "' is not expected here", guess(app, unknown.front()), help);
  fail(text, help);
}

}  // namespace

std::optional<int> read_command_line(int argc, char** argv, const std::string& name, const std::string& description,
                                     Options& rows) {
  CLI::App app(description, name);
  app.get_formatter()->column_width(48);  // wide enough for names with their defaults
  app.set_version_flag("--version", "Espalier " ESPALIER_VERSION);
  app.set_config("--config", "", "TOML file with the same options; flags given on the command line win")
      ->check(CLI::ExistingFile);
  app.config_formatter(std::make_shared<PrefixedToml>());
  app.allow_config_extras(CLI::config_extras_mode::error);
  std::map<std::string, std::vector<Option*>> by_name;
  for (Option& row : rows.rows()) by_name[row.name].push_back(&row);
  for (Option& row : rows.rows())
    if (by_name[row.name].front() == &row) declare(app, by_name[row.name]);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) explain(app, error);
    return app.exit(error);  // prints --help or --version
  }
  return std::nullopt;
}

}  // namespace espalier
