// SPDX-License-Identifier: Apache-2.0
#include "core/record.h"

#include <nlohmann/json.hpp>

#include "core/check.h"
#include "core/format.h"

namespace espalier {

using Json = nlohmann::json;

Record::Record() : value_(std::make_unique<Json>(Json::object())) {}
Record::Record(std::initializer_list<std::pair<std::string, Record>> fields) : Record() {
  for (const auto& [name, value] : fields) set(name, value);
}
Record::Record(std::nullptr_t) : value_(std::make_unique<Json>()) {}
Record::Record(bool value) : value_(std::make_unique<Json>(value)) {}
Record::Record(int value) : value_(std::make_unique<Json>(value)) {}
Record::Record(int64_t value) : value_(std::make_unique<Json>(value)) {}
Record::Record(uint64_t value) : value_(std::make_unique<Json>(value)) {}
Record::Record(double value) : value_(std::make_unique<Json>(value)) {}
Record::Record(const char* value) : value_(std::make_unique<Json>(value)) {}
Record::Record(const std::string& value) : value_(std::make_unique<Json>(value)) {}
Record::Record(const nlohmann::json& value) : value_(std::make_unique<Json>(value)) {}
Record::Record(const Record& other) : value_(std::make_unique<Json>(*other.value_)) {}
Record& Record::operator=(const Record& other) {
  if (this != &other) value_ = std::make_unique<Json>(*other.value_);
  return *this;
}
Record::Record(Record&& other) noexcept = default;
Record& Record::operator=(Record&& other) noexcept = default;
Record::~Record() = default;

Record Record::list() { return Record(Json::array()); }

Record Record::parse(const std::string& text, const std::string& source) {
  const Json value = Json::parse(text, nullptr, false);
  CHECK(value.is_object(), source, ": is no JSON object");
  return Record(value);
}

bool Record::is_object() const { return value_->is_object(); }
bool Record::has(const std::string& name) const { return value_->is_object() && value_->contains(name); }

std::vector<std::string> Record::names() const {
  std::vector<std::string> all;
  if (value_->is_object())
    for (const auto& [name, value] : value_->items()) all.push_back(name);
  return all;
}

Record Record::at(const std::string& name) const {
  CHECK(has(name), "record: there is no field ", name, " in ", shortened(text(), 200));
  return Record((*value_)[name]);
}

Record Record::at(const std::string& name, const Record& otherwise) const { return has(name) ? at(name) : otherwise; }

void Record::set(const std::string& name, const Record& value) {
  CHECK(is_object(), "record: ", shortened(text(), 60), " is no object, so it takes no field ", name);
  (*value_)[name] = *value.value_;
}

void Record::update(const Record& more) {
  CHECK(is_object() && more.is_object(), "record: ", shortened((is_object() ? more : *this).text(), 60),
        " is no object");
  value_->update(*more.value_);
}

void Record::append(const Record& value) {
  CHECK(value_->is_array(), "record: ", shortened(text(), 60), " is no list");
  value_->push_back(*value.value_);
}

int64_t Record::integer(const std::string& name, int64_t otherwise) const {
  return has(name) && (*value_)[name].is_number_integer() ? (*value_)[name].get<int64_t>() : otherwise;
}

double Record::number(const std::string& name, double otherwise) const {
  return has(name) && (*value_)[name].is_number() ? (*value_)[name].get<double>() : otherwise;
}

double Record::number() const {
  CHECK(value_->is_number(), "record: ", text(), " is no number");
  return value_->get<double>();
}

std::string Record::text() const { return value_->dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string Record::printed() const {
  if (value_->is_number_float()) return format("%.3f", value_->get<double>());
  return value_->is_string() ? value_->get<std::string>() : text();
}

bool Record::operator==(const Record& other) const { return *value_ == *other.value_; }

}  // namespace espalier
