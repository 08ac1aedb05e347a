// SPDX-License-Identifier: Apache-2.0
// config.json: what is read can be written, and is then read as the same.
#include <nlohmann/json.hpp>

#include "data/files/json_file.h"
#include "data/models/hf.h"
#include "tests/fuzz/target.h"

using namespace espalier;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string source = "config.json", text(fuzz::text_of(bytes, size));
  BertConfig config;
  if (!fuzz::accepts([&] { config = config_from_json(parse_object(text, source), source); }, source)) return 0;
  config.check("an accepted config");
  const auto json = config_to_json(config);
  fuzz::law(config_to_json(config_from_json(json, "again")) == json, "the config is the same");
  return 0;
}
