// SPDX-License-Identifier: Apache-2.0
#include "data/text/class_names.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>
#include <string_view>

#include "core/check.h"
#include "core/quoted.h"
#include "data/text/lines.h"
#include "data/text/tsv.h"

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
struct Found {
  std::set<std::string> words;  // all of them, numbers as well
  int64_t largest = -1;
  std::string word;  // the first that is no number

  void add(std::string_view text) {
    int64_t number = 0;
    double real = 0;
    if (is_number(text, number)) {
      CHECK(number >= 0 && number <= largest_class, "label ", quoted(text), " is no class; expected 0 to ",
            largest_class, ", or names");
      largest = std::max(largest, number);
    } else {
      CHECK(!is_number(text, real), "label ", quoted(text),
            " is a number, but no class; expected 0, 1, 2 … or names: for a regression, start from a model whose "
            "config.json has \"problem_type\": \"regression\" and \"num_labels\": 1");
      CHECK(!text.empty(), "a label is missing; expected a class in each line");
      if (word.empty()) word = text;
    }
    words.emplace(text);
    CHECK(word.empty() || words.size() <= most_words, "label ", quoted(text), " makes more than ", most_words,
          " different ones; expected classes: name them with --labels or in labels.txt if they are");
  }
};

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

ClassNames find_class_names(const fs::path& folder) {
  if (auto names = read_class_names(folder); !names.empty()) return {names, "from " + (folder / "labels.txt").string()};
  Found found;
  for (const char* file : {"train.tsv", "dev.tsv"})
    read_tsv(folder / file, {.read_label = [&](std::string_view text) {
               found.add(text);
               return Label{.number = 0};
             }});
  if (found.word.empty()) {
    ClassNames numbers{{}, "numbers in the data"};
    for (int64_t i = 0; i <= std::max<int64_t>(1, found.largest); ++i)
      numbers.names.push_back("LABEL_" + std::to_string(i));
    return numbers;
  }
  CHECK(found.words.size() >= 2, folder.string(), ": all labels are ", quoted(found.word),
        "; expected at least two classes: name the others with --labels or in labels.txt");
  return {{found.words.begin(), found.words.end()}, "words in the data"};
}

}  // namespace espalier
