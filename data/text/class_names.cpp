// SPDX-License-Identifier: Apache-2.0
#include "data/text/class_names.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <functional>
#include <set>
#include <string_view>

#include "core/check.h"
#include "core/quoted.h"
#include "data/text/examples.h"
#include "data/text/lines.h"
#include "nn/heads/label_parts.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr int64_t largest_class = 99'999;
constexpr size_t most_words = 1'000;

template <class Number>
bool is_number(std::string_view text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// What stands in a label column.
class FoundLabels {
 public:
  // One class, or one of several; `several`: it may be any number of them.
  void add(std::string_view text, bool several) {
    int64_t number = 0;
    double real = 0;
    CHECK(!text.empty(), "a label is missing; expected a class in each line");
    if (is_number(text, number)) {
      CHECK(number >= 0 && number <= largest_class, "label ", quoted(text), " is no class; expected 0 to ",
            largest_class, ", or names");
      numbers_.insert(number);
    } else {
      CHECK(several || !is_number(text, real), "label ", quoted(text),
            " is a number, but no class; expected 0, 1, 2 … or names: --task regression learns numbers");
      words_.emplace(text);
    }
    CHECK(words_.empty() || numbers_.empty(), "label ", quoted(text), " is a ",
          words_.contains(std::string(text)) ? "word" : "number", ", but others are ",
          words_.contains(std::string(text)) ? "numbers" : "words", ", such as ",
          words_.contains(std::string(text)) ? std::to_string(*numbers_.begin()) : quoted(*words_.begin()),
          "; expected one kind: correct the line, or name all classes with --labels or in labels.txt");
    CHECK(words_.size() <= most_words, "label ", quoted(text), " makes more than ", most_words,
          " different ones; expected classes: name them with --labels or in labels.txt if they are");
  }
  size_t count() const { return words_.size() + numbers_.size(); }
  std::string first() const { return numbers_.empty() ? *words_.begin() : std::to_string(*numbers_.begin()); }
  // Numbers from 0 on are numbers of classes unless they are `names`.
  ClassNames names(bool are_names) const {
    if (numbers_.empty()) return {{words_.begin(), words_.end()}, "words in the data"};
    if (!are_names && numbers_.contains(0)) return {numbered(*numbers_.rbegin() + 1), "numbers in the data"};
    ClassNames found{{}, "numbers in the data"};
    for (const int64_t number : numbers_) found.names.push_back(std::to_string(number));
    return found;
  }
  static std::vector<std::string> numbered(int64_t count) {
    std::vector<std::string> names;
    for (int64_t i = 0; i < count; ++i) names.push_back("LABEL_" + std::to_string(i));
    return names;
  }

 private:
  std::set<std::string> words_;
  std::set<int64_t> numbers_;
};

// Reads the label column of a file for what `read` does with each of its labels.
void each_label(const fs::path& path, const TableOptions& table, bool lists,
                const std::function<void(std::string_view)>& read) {
  ExampleReader reader(path, {.table = table,
                              .read_label =
                                  [&](std::string_view text) {
                                    read(text);
                                    return Label{.number = 0};
                                  },
                              .lists = lists});
  for (Example example; reader.next(example);) {}
}

ClassNames classes_in(const fs::path& path, const TableOptions& table) {
  FoundLabels found;
  each_label(path, table, false, [&](std::string_view text) { found.add(text, false); });
  CHECK(found.count() >= 2, path.string(), ": all labels are ", quoted(found.first()),
        "; expected at least two classes: name the others with --labels or in labels.txt");
  return found.names(false);
}

ClassNames names_in_lists(const fs::path& path, const TableOptions& table) {
  FoundLabels found;
  size_t width = 0;
  bool bits = true;  // so far each label is 0 or 1 for each of `width` classes
  each_label(path, table, true, [&](std::string_view text) {
    const auto parts = label_parts(text);
    bits &= parts.size() > 1 && (width == 0 || width == parts.size()) &&
            std::ranges::all_of(parts, [](std::string_view part) { return part == "0" || part == "1"; });
    width = parts.size();
    for (const std::string_view part : parts) found.add(part, true);
  });
  CHECK(found.count() > 0, path.string(), ": no label has a name; expected names of classes with commas between");
  if (bits) return {FoundLabels::numbered(static_cast<int64_t>(width)), "zeros and ones in the data"};
  return found.names(true);
}

ClassNames numbers_in(const fs::path& path, const TableOptions& table) {
  size_t width = 0;
  each_label(path, table, true, [&](std::string_view text) {
    if (width == 0) width = std::max<size_t>(1, label_parts(text).size());
  });
  return {FoundLabels::numbered(static_cast<int64_t>(width)), "numbers in the data"};
}

}  // namespace

bool equal_names(const std::string& a, const std::string& b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::vector<std::string> read_class_names(const fs::path& folder) {
  const fs::path path = folder / "labels.txt";
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return {};
  Lines lines(path, Lines::Of::records, "the name of a class on each line", int64_t{1} << 20);
  std::vector<std::string> names;
  for (std::string_view line; lines.next(line);) {
    if (line.find('\t') != line.npos)
      lines.wrong(quoted(line), " is no name; expected the name of a class on each line");
    if (std::ranges::find(names, line) != names.end())
      lines.wrong(quoted(line), " is there twice; expected different names");
    names.emplace_back(line);
  }
  CHECK(names.size() >= 2, path.string(), ": has ", names.size(), " names; expected at least two, one on each line");
  return names;
}

ClassNames find_class_names(LabelForm form, const fs::path& train, const TableOptions& table) {
  const fs::path folder = train.parent_path();
  if (auto names = read_class_names(folder); !names.empty()) return {names, "from " + (folder / "labels.txt").string()};
  if (form == LabelForm::numbers) return numbers_in(train, table);
  return form == LabelForm::classes ? names_in_lists(train, table) : classes_in(train, table);
}

}  // namespace espalier
