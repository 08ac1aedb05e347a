// SPDX-License-Identifier: Apache-2.0
// Options: the options of a program or of an algorithm, one row each: name, value, help, range, and whether the value
// decides a result. The command line and the config file set the values; --help, the checks, the checkpoint's entry and
// the check of a resumed run follow from the same rows.
#pragma once

#include <deque>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "core/option.h"

namespace espalier {

class Options {
 public:
  Options() = default;
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  // The rows from now on: their names begin with `prefix`; they are in the object `entry` of the checkpoint's options
  // and below `heading` in the help; and none may be given unless `on` holds, or `why` is said.
  struct Group {
    std::string prefix = {}, entry = {}, heading = {};
    std::function<bool()> on = {};
    std::string why = {};
  };
  void begin(const Group& group) { group_ = group; }
  const Group& group() const { return group_; }

  // The value, whose present one is the default, must outlive the options. Two rows of one name are set together; that
  // without effect does not count.
  template <class T>
  OptionRow<T> add(const std::string& name, T& value, const std::string& help);
  template <class T>
  OptionRow<std::vector<T>> add(const std::string& name, std::vector<T>& values, const std::string& help);
  OptionRow<bool> flag(const std::string& name, bool& value, const std::string& help);  // on if it is named
  template <class Row>
  OptionRow<Choice<Row>> choose(const std::string& name, Choice<Row>& value, const std::vector<Row>& table,
                                const std::string& help);
  // What is checked behind the ranges: options that do not fit together. It throws. Not called where the group is off.
  void rule(std::function<void()> check) { rules_.push_back({group_.on, std::move(check)}); }

  // Fills in defaults; throws for the first option without effect, out of range, or that does not fit the others.
  void check();
  void check_values() const;  // ranges, and what does not fit together, alone

  std::deque<Option>& rows() { return rows_; }
  const std::deque<Option>& rows() const { return rows_; }
  // What decides the result, by name; groups that nothing was set of are left out.
  Record effective() const;
  // The values of one entry, as far as they have an effect.
  Record all_of(const std::string& entry) const;
  // Throws, beginning with `source`, for the first option that decides the result and was another one in `saved`, the
  // effective options of the run before; paths may be others. `more`: names that it may have beside the rows.
  void expect_same(const Record& saved, const std::string& source, const std::set<std::string>& more = {}) const;

 private:
  struct Check {
    std::function<bool()> on;
    std::function<void()> run;
  };
  Option& row(const std::string& name, const std::string& help, const char* type, Option::Form form);
  std::set<std::string> changed_entries() const;  // with a row that is not at its default
  std::vector<const Option*> deciding() const;    // one row of each name

  std::deque<Option> rows_;
  std::vector<Check> rules_;
  Group group_;
};

template <class T>
bool read_option(const Option& option, const std::string& text, T& value) {
  const std::string expected = OptionValue<T>::expected();
  const bool names = !expected.starts_with("a ") && !expected.starts_with("true");
  CHECK(OptionValue<T>::read(text, value), option.shown(), names ? " " : " '", text, names ? ": " : "': ", expected);
  return true;
}

template <class T>
OptionRow<T> Options::add(const std::string& name, T& value, const std::string& help) {
  Option& option = row(name, help, OptionValue<T>::type, Option::Form::value);
  option.choices = option_choices<T>();
  option.set = [&option, &value](const std::vector<std::string>& texts) { read_option(option, texts.back(), value); };
  option.text = [&value] { return option_text(value); };
  option.record = [&value] { return option_record(value); };
  option.first_text = option.text();
  option.first_record = option.record();
  option.shows_default = !option.first_text.empty();
  return {option, value};
}

template <class T>
OptionRow<std::vector<T>> Options::add(const std::string& name, std::vector<T>& values, const std::string& help) {
  Option& option = row(name, help, OptionValue<T>::type, Option::Form::list);
  option.choices = option_choices<T>();
  option.set = [&option, &values](const std::vector<std::string>& texts) {
    values.clear();
    for (const std::string& text : texts) read_option(option, text, values.emplace_back());
  };
  option.text = [&values] { return option_text(values); };
  option.record = [&values] { return option_record(values); };
  option.first_text = option.text();
  option.first_record = option.record();
  option.shows_default = !values.empty();
  return {option, values};
}

template <class Row>
OptionRow<Choice<Row>> Options::choose(const std::string& name, Choice<Row>& value, const std::vector<Row>& table,
                                       const std::string& help) {
  std::vector<std::string> names;
  names.reserve(table.size());
  for (const Row& r : table) names.push_back(r.name + " (" + r.help + ")");
  Option& option = row(name, help + ": " + words_of(names), "NAME", Option::Form::value);
  for (const Row& r : table) option.choices.push_back(r.name);
  option.set = [&option, &value, table](const std::vector<std::string>& texts) {
    try {
      value = Choice<Row>(table, texts.back());
    } catch (const Error& error) { fail(option.shown(), " ", error.what()); }
  };
  option.text = [&value] { return value->name; };
  option.record = [&value] { return Record(value->name); };
  option.first_text = option.text();
  option.first_record = option.record();
  option.shows_default = true;
  return {option, value};
}

}  // namespace espalier
