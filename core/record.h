// SPDX-License-Identifier: Apache-2.0
// Record: a JSON value, mostly an object with named fields: the options kept in a checkpoint, a line of a log, what a
// program prints with --json. It keeps the JSON library out of our headers, where it costs 3 s a source.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

namespace espalier {

class Record {
 public:
  Record();  // an object without fields
  Record(std::initializer_list<std::pair<std::string, Record>> fields);
  Record(std::nullptr_t);
  Record(bool value);
  Record(int value);
  Record(int64_t value);
  Record(uint64_t value);
  Record(double value);
  Record(const char* value);
  Record(const std::string& value);
  template <class T>
  Record(const std::vector<T>& values) : Record(list()) {
    for (const T& value : values) append(value);
  }
  explicit Record(const nlohmann::json& value);
  Record(const Record& other);
  Record& operator=(const Record& other);
  Record(Record&& other) noexcept;
  Record& operator=(Record&& other) noexcept;
  ~Record();

  static Record list();  // an empty list
  // Throws Error, beginning with `source`, unless the text is one JSON object.
  static Record parse(const std::string& text, const std::string& source);

  bool has(const std::string& name) const;  // false for what is no object
  bool is_object() const;
  std::vector<std::string> names() const;  // of the fields, sorted
  Record at(const std::string& name) const;
  Record at(const std::string& name, const Record& otherwise) const;  // where there is no such field
  // These throw Error for a value that is no object, or no list.
  void set(const std::string& name, const Record& value);
  void update(const Record& more);   // its fields are added or take the place of ours
  void append(const Record& value);  // to a list

  int64_t integer(const std::string& name, int64_t otherwise) const;
  double number(const std::string& name, double otherwise) const;
  double number() const;        // of a value that is a number
  std::string text() const;     // JSON, on one line, fields in alphabetical order
  std::string printed() const;  // for people: numbers with decimals have three, texts have no quotes
  bool operator==(const Record& other) const;

  const nlohmann::json& json() const { return *value_; }  // for sources that include the library

 private:
  std::unique_ptr<nlohmann::json> value_;
};

}  // namespace espalier
