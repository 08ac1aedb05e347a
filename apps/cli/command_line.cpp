// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/command_line.h"

#include <algorithm>
#include <cctype>
#include <iostream>
#include <map>
#include <span>

#include "apps/cli/completion.h"
#include "apps/cli/config_file.h"
#include "apps/cli/help.h"
#include "apps/cli/man_page.h"
#include "apps/cli/spelling.h"
#include "core/quoted.h"

namespace espalier {
namespace {

using Texts = std::vector<std::string>;
using Form = Option::Form;

// -h, --name or --name=value, and no number such as -1.
bool is_option(const std::string& word) {
  return word.size() > 1 && word[0] == '-' &&
         (word[1] == '-' || std::isalpha(static_cast<unsigned char>(word[1])) != 0);
}

class Reader {
 public:
  Reader(const std::string& program, Options& rows) : help_(" (" + program + " --help lists the options)") {
    for (Option& row : rows.rows()) {
      if (!rows_.contains(row.name)) order_.push_back(row.name);
      rows_[row.name].push_back(&row);
    }
  }

  // Sets nothing yet. Returns "--help" or "--version" where one of them is asked for, and so "--man" and
  // "--completion=SHELL", with which the installation asks.
  std::string read(std::span<const std::string> words) {
    while (!words.empty()) {
      std::string word = words.front();
      words = words.subspan(1);
      if (word == "-h") return "--help";
      if (word == "--help" || word == "--version" || word == "--man" || word.starts_with("--completion=")) return word;
      if (word == "--") {  // the rest are no options
        for (const std::string& rest : words) take_positional(rest);
        break;
      }
      if (is_option(word))
        words = words.subspan(take_option(word, words));
      else
        take_positional(word);
    }
    return {};
  }

  // The config file, then the command line, which wins.
  void apply() {
    if (given_.contains("config")) {
      CHECK(!given_["config"].front().empty(), "--config is empty; the name of a file is expected");
      for (const ConfigEntry& entry : read_config_file(given_["config"].front())) apply(entry);
    }
    for (const std::string& name : order_)
      if (given_.contains(name)) set(name, given_[name]);
    for (const std::string& name : order_) {
      const Option& row = *rows_[name].front();
      CHECK(!row.required || row.given, row.shown(), " is required", help_);
    }
  }

 private:
  // Takes the values that follow the option, and returns how many they are.
  size_t take_option(const std::string& word, std::span<const std::string> next) {
    const size_t equals = word.find('=');
    const std::string shown = word.substr(0, equals), name = shown.substr(std::min<size_t>(2, shown.size()));
    const auto found = rows_.find(name);
    const bool known = found != rows_.end() && !found->second.front()->positional;
    CHECK(shown.starts_with("--") && (known || name == "config"), quoted(shown), " is not expected here",
          guess(name, "--"), help_);
    const Form form = known ? found->second.front()->form : Form::value;
    CHECK(form == Form::list || form == Form::flag || !given_.contains(name), shown, " is given twice; expected once");
    Texts& texts = given_[name];
    if (form == Form::flag) {
      const std::string text = equals == std::string::npos ? "true" : word.substr(equals + 1);
      CHECK(texts.empty() || texts.front() == text, shown, " is given twice, as ", quoted(texts.front()), " and ",
            quoted(text), "; expected once");
      texts = {text};
      return 0;
    }
    if (equals != std::string::npos) return texts.push_back(word.substr(equals + 1)), 0;
    size_t count = 0;
    for (; count < next.size() && !is_option(next[count]) && (form == Form::list || count == 0); ++count)
      texts.push_back(next[count]);
    const std::string instead = next.empty() ? "nothing" : quoted(next.front());
    CHECK(count > 0, shown, " has no value: found ", instead, "; expected ", shown, " VALUE, or ", shown,
          "=VALUE where the value begins with -", help_);
    return count;
  }

  void take_positional(const std::string& word) {
    for (const std::string& name : order_) {
      const Option& row = *rows_[name].front();
      if (!row.positional || (row.form != Form::list && given_.contains(name))) continue;
      given_[name].push_back(word);
      return;
    }
    fail(quoted(word), " is not expected here", guess(word, "--"), help_);
  }

  void apply(const ConfigEntry& entry) {
    const auto found = rows_.find(entry.name);
    CHECK(found != rows_.end(), entry.place, ": ", quoted(entry.name), " is not an option", guess(entry.name, ""),
          help_);
    const Option& row = *found->second.front();
    CHECK(!entry.list || row.form == Form::list, entry.place, ": ", entry.name, " has a list; one value is expected");
    Texts texts;
    for (const ConfigValue& value : entry.values) {
      check_kind(row, value, entry);
      texts.push_back(value.text);
    }
    if (given_.contains(entry.name)) return;
    for (Option* same : found->second) same->place = entry.place;
    set(entry.name, texts);
  }

  // That a number is not in quotes and a text is. The options' own types, such as STEP, may be either.
  static void check_kind(const Option& row, const ConfigValue& value, const ConfigEntry& entry) {
    using Kind = ConfigValue::Kind;
    struct Type {
      std::vector<Kind> kinds;
      const char* expected;
    };
    static const Type whole = {{Kind::whole_number}, "a whole number, without quotes,"};
    static const Type text = {{Kind::text}, "a text in quotes"};
    static const Type own = {{Kind::text, Kind::whole_number, Kind::number}, "a number, or a text in quotes,"};
    static const std::map<std::string, Type> types = {
        {"INT", whole},
        {"UINT", whole},
        {"FLOAT", {{Kind::whole_number, Kind::number}, "a number, without quotes,"}},
        {"BOOLEAN", {{Kind::truth}, "true or false, without quotes,"}},
        {"TEXT", text},
        {"PATH", text},
        {"NAME", text}};
    const auto found = types.find(row.type);
    const Type& type = found == types.end() ? own : found->second;
    const std::string shown = value.kind == Kind::text ? '"' + value.text + '"' : value.text;
    CHECK(std::ranges::count(type.kinds, value.kind) != 0, entry.place, ": ", entry.name, " has the value ",
          quoted(shown), "; ", type.expected, " is expected");
  }

  void set(const std::string& name, const Texts& given) {
    const Option& first = *rows_[name].front();
    Texts texts;
    for (const std::string& text : given) {
      if (!first.by_commas) texts.push_back(text);
      for (size_t from = 0; first.by_commas && from <= text.size();) {
        const size_t comma = std::min(text.find(',', from), text.size());
        texts.push_back(text.substr(from, comma - from));
        from = comma + 1;
      }
    }
    for (const std::string& text : texts)
      CHECK(!text.empty() || first.positional, first.shown(), " ",
            texts.size() == 1 ? "is empty" : "has an empty value in its list", "; ", first.type, " is expected");
    for (Option* row : rows_[name]) {
      row->given = true;
      row->set(texts);
    }
  }

  std::string guess(const std::string& word, const std::string& dashes) const {
    std::vector<std::string> names;
    if (!dashes.empty()) names = {"help", "version", "config"};
    for (const std::string& name : order_)
      if (dashes.empty() || !rows_.at(name).front()->positional) names.push_back(name);
    const std::string best = nearest(word, names);
    return best.empty() ? "" : "; did you mean " + dashes + best + "?";
  }

  std::string help_;
  std::vector<std::string> order_;                    // of the names
  std::map<std::string, std::vector<Option*>> rows_;  // those of one name are set together
  std::map<std::string, Texts> given_;                // on the command line
};

}  // namespace

std::optional<int> read_command_line(int argc, char** argv, const std::string& name, const std::string& description,
                                     Options& rows) {
  Reader reader(name, rows);
  const Texts words(argv + std::min(argc, 1), argv + argc);
  const std::string asked = reader.read(words);
  if (asked == "--help") std::cout << help_text(name, description, rows);
  if (asked == "--version") std::cout << "Espalier " ESPALIER_VERSION "\n";
  if (asked == "--man") std::cout << man_page(name, description, rows);
  if (asked.starts_with("--completion=")) std::cout << completion(asked.substr(asked.find('=') + 1), name, rows);
  if (!asked.empty()) return 0;
  reader.apply();
  return std::nullopt;
}

}  // namespace espalier
