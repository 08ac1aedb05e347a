// SPDX-License-Identifier: Apache-2.0
#include "data/text/tsv.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>

#include "core/check.h"
#include "core/quoted.h"
#include "data/files/atomic_file.h"

namespace espalier {
namespace {

constexpr size_t longest_line = size_t{1} << 20;

// The lines of a file, one at a time, without line ends and byte order mark.
class Lines {
 public:
  explicit Lines(const std::filesystem::path& path) : path_(path), buffer_(longest_line + 2) {
    std::error_code ignored;
    CHECK(!std::filesystem::is_directory(path, ignored), path.string(),
          ": is a directory; expected a TSV file such as ", (path / "train.tsv").string());
    errno = 0;
    file_.open(path, std::ios::binary);
    CHECK(errno != ENOENT || file_, path.string(), ": no such file; expected a TSV file: check the path");
    CHECK(file_, path.string(), ": cannot be opened (", std::strerror(errno),
          "); expected a TSV file that you may read");
  }

  bool next(std::string_view& line) {
    errno = 0;
    file_.getline(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
    CHECK(!file_.bad(), path_.string(), ": cannot be read (", std::strerror(errno), "); check the file and its disk");
    auto length = static_cast<size_t>(file_.gcount());
    if (length == 0) return false;
    ++number_;
    if (file_.fail())
      wrong("is longer than ", longest_line, " bytes; expected one example per line: is this a TSV file?");
    if (!file_.eof()) --length;  // the line break is counted but not stored
    line = {buffer_.data(), length};
    if (number_ == 1 && line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find('\0') != std::string_view::npos)
      wrong("holds a NUL byte; expected UTF-8 text: save the file as UTF-8");
    return true;
  }

  template <class... Parts>
  [[noreturn]] void wrong(const Parts&... parts) const {
    fail(path_.string(), ":", number_, ": ", parts...);
  }

 private:
  std::filesystem::path path_;
  std::vector<char> buffer_;
  std::ifstream file_;
  int64_t number_ = 0;
};

void split(std::string_view line, std::vector<std::string_view>& fields) {
  fields.clear();
  for (size_t tab = line.find('\t'); tab != std::string_view::npos; tab = line.find('\t')) {
    fields.push_back(line.substr(0, tab));
    line.remove_prefix(tab + 1);
  }
  fields.push_back(line);
}

struct Columns {
  size_t count = 0;
  std::optional<size_t> first, second, label;
};

Columns read_header(std::string_view line, const Lines& lines, Labels labels) {
  std::vector<std::string_view> fields;
  split(line, fields);
  const std::vector<std::string> found(fields.begin(), fields.end());
  const auto column = [&](std::string_view name) -> std::optional<size_t> {
    const auto at = std::find(found.begin(), found.end(), name);
    if (at == found.end()) return std::nullopt;
    if (std::find(at + 1, found.end(), name) != found.end())
      lines.wrong("the header names '", name, "' twice; expected each column once: rename one of them");
    return at - found.begin();
  };
  const Columns columns{found.size(), column("sentence"), column("sentence2"), column("label")};
  if (!columns.first)
    lines.wrong("the header has no column 'sentence', only ", quoted(found),
                "; expected tab-separated names such as sentence, label: add the header or rename a column");
  if (!columns.label && labels == Labels::required)
    lines.wrong("the header has no column 'label', only ", quoted(found),
                "; expected labels for training and evaluation: add the column");
  return columns;
}

Label read_label(const ReadOptions& options, std::string_view text, const Lines& lines) {
  try {
    return options.read_label(text);
  } catch (const Error& error) { lines.wrong(error.what()); }
}

}  // namespace

Dataset read_tsv(const std::filesystem::path& path, const ReadOptions& options) {
  Lines lines(path);
  std::string_view line;
  CHECK(lines.next(line), path.string(), ": is empty; expected a header line naming the columns sentence and label");
  Columns columns = read_header(line, lines, options.labels);
  if (options.labels == Labels::ignored) columns.label.reset();

  Dataset dataset{path, {}, columns.second.has_value(), columns.label.has_value()};
  std::vector<std::string_view> fields;
  while (lines.next(line)) {
    split(line, fields);
    if (fields.size() != columns.count)
      lines.wrong("found ", fields.size(), " columns; expected ", columns.count,
                  " as in the header: text must hold no tab or line break, and no line may be blank");
    Example example;
    example.first = fields[*columns.first];
    if (columns.second) example.second = fields[*columns.second];
    if (columns.label) {
      Label label = read_label(options, fields[*columns.label], lines);
      example.label = label.number;
      example.values = std::move(label.values);
    }
    dataset.examples.push_back(std::move(example));
  }
  CHECK(!dataset.examples.empty(), path.string(), ": holds a header but no examples; expected one example per line");
  return dataset;
}

void write_tsv(const std::filesystem::path& path, const Dataset& dataset) {
  std::string text = "sentence";
  if (dataset.pairs) text += "\tsentence2";
  if (dataset.labelled) text += "\tlabel";
  text += '\n';
  const auto add = [&](const char* separator, const std::string& field) {
    CHECK(field.find_first_of(std::string_view("\t\r\n\0", 4)) == std::string::npos, path.string(), ": cannot hold ",
          quoted(field), "; expected text without tab, line break and NUL");
    text.append(separator).append(field);
  };
  for (const Example& example : dataset.examples) {
    add("", example.first);
    if (dataset.pairs) add("\t", example.second);
    if (dataset.labelled) text += '\t' + std::to_string(example.label);
    text += '\n';
  }
  write_file(path, text);
}

}  // namespace espalier
