// SPDX-License-Identifier: Apache-2.0
// Option: one row of Options.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/option_value.h"

namespace espalier {

// One row, without the type of its value.
struct Option {
  enum class Form { value, flag, list };

  std::string name;     // "prune.amount": --prune.amount. Of a positional argument: as in the usage line
  std::string key;      // "amount": its name in the checkpoint's entry
  std::string entry;    // "prune": the object of the checkpoint's options that has the entry; empty: they themselves
  std::string heading;  // of the paragraph in --help
  std::string help, type;
  std::vector<std::string> choices = {};  // all values that it may have, where these are few
  Form form = Form::value;
  bool positional = false, required = false, decides = true, shows_default = false;
  bool by_commas = false;   // a list in one text, such as 0,2,4
  bool by_content = false;  // a path: what is there decides, not its name
  bool given = false;       // by the user
  std::string reason;       // why a resumed run must have the same, where that is not plain
  std::string place;        // FILE:LINE:COLUMN, where a config file gave it

  std::function<void(const std::vector<std::string>& texts)> set;  // throws, naming the option, for what is no value
  std::function<std::string()> text;                               // the value, for people
  std::function<Record()> record;                                  // and for the checkpoint
  std::string first_text;                                          // what text() was when the row was made
  Record first_record = nullptr;

  struct Rule {
    std::function<bool()> holds;
    std::string otherwise;
  };
  std::vector<Rule> ranges;    // of the value
  std::vector<Rule> effect;    // without which the option changes nothing: it may not be given then
  std::function<void()> fill;  // the default, where it depends on other options

  bool has_effect() const;
  // As the user writes it, for errors.
  std::string shown() const { return (place.empty() ? "" : place + ": ") + (positional ? "" : "--") + name; }
  bool is_set() const { return given || text() != first_text; }
};

// A row while it is described. Ranges name what is expected: "a share from 0 to 1 is expected".
template <class T>
class OptionRow {
 public:
  OptionRow(Option& option, T& value) : option_(option), value_(value) {}

  OptionRow& range(std::function<bool()> holds, const std::string& expected) {
    option_.ranges.push_back({std::move(holds), expected});
    return *this;
  }
  OptionRow& at_least(const T& least) {
    return range([&v = value_, least] { return v >= least; }, "at least " + option_text(least) + " is expected");
  }
  OptionRow& at_most(const T& most) {
    return range([&v = value_, most] { return v <= most; }, "at most " + option_text(most) + " is expected");
  }
  OptionRow& between(const T& least, const T& most, const std::string& expected) {
    return range([&v = value_, least, most] { return v >= least && v <= most; }, expected);
  }
  OptionRow& positive() {
    return range([&v = value_] { return v > 0 && v < 1e300; }, "a positive number is expected");
  }
  OptionRow& not_negative() {
    return range([&v = value_] { return v >= 0 && v < 1e300; }, "0 or a positive number is expected");
  }
  // The option changes something only if this holds; `why`, such as "is for linear and cubic schedules", is said else.
  OptionRow& only_if(std::function<bool()> holds, const std::string& why) {
    option_.effect.push_back({std::move(holds), why});
    return *this;
  }
  OptionRow& fill(std::function<void()> default_value) {
    option_.fill = std::move(default_value);
    return *this;
  }
  OptionRow& is_switch() {  // it turns its group on: it may be given at any time
    option_.effect.clear();
    return *this;
  }
  const Option& option() const { return option_; }
  OptionRow& required() { return option_.required = true, *this; }
  OptionRow& by_commas() { return option_.by_commas = true, *this; }
  OptionRow& kept_as(const std::string& key) { return option_.key = key, *this; }  // in the checkpoint
  OptionRow& positional() { return option_.positional = true, *this; }
  OptionRow& no_default() { return option_.shows_default = false, *this; }  // in the help
  // It names what a run reads, whose fingerprint a resumed run compares; kept in the checkpoint, not compared.
  OptionRow& by_content() { return option_.by_content = true, *this; }
  OptionRow& because(const std::string& why) { return option_.reason = why, *this; }  // a resumed run has the same
  OptionRow& free() { return option_.decides = false, *this; }                        // no result depends on it

 private:
  Option& option_;
  T& value_;
};

}  // namespace espalier
