// SPDX-License-Identifier: Apache-2.0
// Edge files: what is opened answers. The header is made to fit the bytes behind it, whose checksum bytes that were
// changed at random never pass.
#include <algorithm>
#include <cmath>
#include <cstddef>

#include "core/checksum.h"
#include "data/edge/edge_layout.h"
#include "data/edge/edge_model.h"
#include "tests/fuzz/target.h"

using namespace espalier;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  std::string file(fuzz::text_of(bytes, size));
  if (file.size() >= sizeof(EdgeHeader)) {
    const std::string_view rest = std::string_view(file).substr(sizeof(EdgeHeader));
    const uint64_t all = file.size(), sum = checksum(rest);
    std::copy_n(reinterpret_cast<const char*>(&all), sizeof all, file.begin() + offsetof(EdgeHeader, bytes));
    std::copy_n(reinterpret_cast<const char*>(&sum), sizeof sum, file.begin() + offsetof(EdgeHeader, checksum));
  }
  fuzz::accepts(
      [&] {
        const EdgeModel model(EdgeFile(std::as_bytes(std::span(file)), nullptr, "the model"));
        const auto encoded = model.tokenizer().encode("a fine film , é 電影", static_cast<int>(model.positions()));
        const auto length = static_cast<int32_t>(encoded.ids.size());
        const auto answers =
            model({.ids = encoded.ids, .segments = encoded.segments, .offsets = {0, length}, .labels = {}, .rows = {}});
        fuzz::law(answers.size() == 1, "one answer for one text");
      },
      "the model");
  return 0;
}
