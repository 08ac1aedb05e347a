// SPDX-License-Identifier: Apache-2.0
#include "core/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace espalier {
namespace {

template <class Number>
bool parse(const std::string& text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// "is for movement" and "is for soft-movement" in one; equal reasons once.
std::string joined(const std::vector<std::string>& reasons) {
  const std::string start = "is for ";
  std::string text = reasons.front();
  for (const std::string& reason : reasons)
    if (reason != reasons.front() && reason.starts_with(start)) text += " and " + reason.substr(start.size());
  return text;
}

}  // namespace

bool OptionValue<int64_t>::read(const std::string& text, int64_t& value) { return parse(text, value); }
bool OptionValue<int>::read(const std::string& text, int& value) { return parse(text, value); }
bool OptionValue<uint64_t>::read(const std::string& text, uint64_t& value) { return parse(text, value); }
bool OptionValue<double>::read(const std::string& text, double& value) {
  return parse(text, value) && std::isfinite(value);
}
bool OptionValue<bool>::read(const std::string& text, bool& value) {
  value = text == "true" || text == "on";
  return value || text == "false" || text == "off";
}

bool Option::has_effect() const {
  return std::ranges::all_of(effect, [](const Rule& rule) { return rule.holds(); });
}

Option& Options::row(const std::string& name, const std::string& help, const char* type, Option::Form form) {
  Option& option = rows_.emplace_back();
  option.name = group_.prefix + name;
  option.key = name;
  option.entry = group_.entry;
  option.heading = group_.heading;
  option.help = help;
  option.type = type;
  option.form = form;
  if (group_.on) option.effect.push_back({group_.on, group_.why});
  return option;
}

OptionRow<bool> Options::flag(const std::string& name, bool& value, const std::string& help) {
  const OptionRow<bool> made = add(name, value, help);
  rows_.back().form = Option::Form::flag;
  rows_.back().shows_default = false;
  return made;
}

void Options::check() {
  for (Option& option : rows_)
    if (option.fill && !option.is_set()) option.fill();
  for (const Option& option : rows_) {
    if (!option.is_set()) continue;
    std::vector<std::string> why;
    bool used = false;
    for (const Option& same : rows_) {
      if (same.name != option.name) continue;
      used |= same.has_effect();
      const auto broken = std::ranges::find_if(same.effect, [](const Option::Rule& rule) { return !rule.holds(); });
      if (broken != same.effect.end()) why.push_back(broken->otherwise);
    }
    CHECK(used, option.shown(), ": ", joined(why));
  }
  check_values();
}

void Options::check_values() const {
  for (const Option& option : rows_)
    for (const Option::Rule& rule : option.ranges)
      CHECK(rule.holds(), option.shown(), " ", option.text(), ": ", rule.otherwise);
  for (const Check& rule : rules_)
    if (!rule.on || rule.on()) rule.run();
}

std::vector<const Option*> Options::deciding() const {
  std::vector<const Option*> chosen;
  for (const Option& option : rows_) {
    if (!option.decides) continue;
    const auto same =
        std::ranges::find_if(chosen, [&](const Option* o) { return o->key == option.key && o->entry == option.entry; });
    if (same == chosen.end())
      chosen.push_back(&option);
    else if (option.has_effect())
      *same = &option;
  }
  return chosen;
}

std::set<std::string> Options::changed_entries() const {
  std::set<std::string> changed = {""};
  for (const Option& option : rows_)
    if (option.text() != option.first_text) changed.insert(option.entry);
  return changed;
}

Record Options::effective() const {
  const std::set<std::string> changed = changed_entries();
  Record all;
  for (const Option* option : deciding()) {
    if (!changed.contains(option->entry)) continue;
    if (option->entry.empty()) {
      all.set(option->key, option->record());
      continue;
    }
    Record inner = all.at(option->entry, Record());
    inner.set(option->key, option->record());
    all.set(option->entry, inner);
  }
  return all;
}

Record Options::all_of(const std::string& entry) const {
  Record values;
  for (const Option& option : rows_)
    if (option.entry == entry && option.decides && option.has_effect()) values.set(option.key, option.record());
  return values;
}

void Options::expect_same(const Record& saved, const std::string& source, const std::set<std::string>& more) const {
  std::set<std::string> known = more;
  const std::set<std::string> changed = changed_entries();
  for (const std::string& entry : changed)
    CHECK(entry.empty() || saved.has(entry), source, ": the stopped run had no option --", entry,
          "; resume with the options of the stopped run");
  const auto name_of = [](const std::string& entry, const std::string& key) {
    return entry.empty() ? key : entry + "." + key;
  };
  for (const Option* option : deciding()) {
    const Record place = option->entry.empty() ? saved : saved.at(option->entry, Record());
    const Record was = place.at(option->key, option->first_record), now = option->record();
    CHECK(was == now || option->by_content, source, ": --", option->name, " was ", was.text(), " and is now ",
          now.text(), option->reason.empty() ? "" : ", but ", option->reason,
          "; resume with the options of the stopped run");
    known.insert(name_of(option->entry, option->key));
  }
  for (const std::string& key : saved.names()) {
    const Record value = saved.at(key);
    if (known.contains(key)) continue;
    const std::vector<std::string> inner = value.is_object() ? value.names() : std::vector<std::string>{""};
    for (const std::string& name : inner)
      CHECK(known.contains(name_of(key, name)), source, ": --", name.empty() ? key : name_of(key, name), " was ",
            (name.empty() ? value : value.at(name)).text(),
            " and this program does not have it; resume with the program of the stopped run");
  }
  for (const Option& option : rows_)
    CHECK(!saved.has(option.entry) || changed.contains(option.entry), source, ": the stopped run had options --",
          option.entry, " and this one has none; resume with the options of the stopped run");
}

}  // namespace espalier
