// SPDX-License-Identifier: Apache-2.0
// Reads the fields of JSON in an HDF5 file. Used by data/models/checkpoint.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <utility>

#include "core/check.h"
#include "core/format.h"
#include "core/hdf5/file.h"
#include "data/files/json_file.h"

namespace espalier {

// An object whose fields must be there. Errors name the dataset and the field.
struct JsonFields {
  JsonFields(const Hdf5Group& group, const std::string& name)
      : JsonFields(group.where(name), parse_object(group.read_text(name), group.where(name))) {}
  JsonFields(std::string place, nlohmann::json object) : where(std::move(place)), json(std::move(object)) {}

  const nlohmann::json& at(const char* name) const {
    CHECK(json.contains(name), where, ": there is no field ", name, "; the file is damaged or of another kind");
    return json[name];
  }
  template <class T>
  void read(const char* name, T& to) const {
    try {
      at(name).get_to(to);
    } catch (const nlohmann::json::exception&) {
      fail(where, ": the field ", name, " is ", shortened(at(name).dump(), 60),
           ", which has the wrong type; the file is damaged or of another kind");
    }
  }

  // A field that counts something: converting anything else would have no defined result.
  template <class T>
  void count(const char* name, T& to) const {
    const nlohmann::json& value = at(name);
    CHECK(value.is_number_unsigned() && (std::is_unsigned_v<T> || value.get<uint64_t>() <= INT64_MAX), where,
          ": the field ", name, " is ", shortened(value.dump(), 60), "; expected a whole number that is not negative");
    value.get_to(to);
  }

  std::string where;
  nlohmann::json json;
};

}  // namespace espalier
