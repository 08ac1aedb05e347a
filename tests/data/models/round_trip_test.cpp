// SPDX-License-Identifier: Apache-2.0
// Hugging Face directory to checkpoint to Hugging Face directory: each number comes back, whatever type it had.
#include <bit>
#include <nlohmann/json.hpp>

#include "data/models/hf_export.h"
#include "data/models/safetensors.h"
#include "tests/data/models/checkpoint_file.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

const fs::path golden = fs::path(ESPALIER_TESTS_DIR) / "golden" / "hf_model";

// The golden directory with other numbers, of this type: any finite ones, also -0 and those below the normal range.
void write_directory(const fs::path& to, const std::string& type) {
  fs::copy(golden, to);
  const size_t width = type == "F32" ? 4 : 2;
  const uint32_t exponent = type == "F16" ? 0x7c00 : type == "BF16" ? 0x7f80 : 0x7f800000;
  nlohmann::json header;
  std::string values;
  uint32_t bits = 1;
  const Safetensors source(golden / "model.safetensors");
  for (const auto& [name, entry] : source.entries()) {
    const size_t begin = values.size();
    for (int64_t i = 0; i < Shape(entry.shape).size(); ++i) {
      do bits = bits * 1664525 + 1013904223;
      while ((bits >> (8 * (4 - width)) & exponent) == exponent);
      uint32_t v = i == 0 ? 1U : i == 1 ? 1U << (8 * width - 1) : bits >> (8 * (4 - width));  // tiny, -0, any
      for (size_t b = 0; b < width; ++b, v >>= 8) values += static_cast<char>(v & 255);
    }
    header[name] = {{"dtype", type}, {"shape", entry.shape}, {"data_offsets", {begin, values.size()}}};
  }
  std::string bytes = header.dump();
  const uint64_t length = bytes.size();
  std::string prefix;
  for (int b = 0; b < 8; ++b) prefix += static_cast<char>(length >> (8 * b) & 255);
  write_bytes(to / "model.safetensors", prefix + bytes + values);
}

TEST_F(CheckpointFile, KeepsEveryBitOfAHuggingFaceDirectory) {
  for (const std::string type : {"F32", "BF16", "F16"}) {
    const fs::path from = folder_ / type, to = folder_ / (type + " again");
    write_directory(from, type);
    const auto first = open_model(from.string());
    save_checkpoint(file_, first->store, first->contents());
    const auto second = open_model(file_.string());
    export_hf(*second, to);
    const Safetensors source(from / "model.safetensors"), result(to / "model.safetensors");
    ASSERT_EQ(source.entries().size(), result.entries().size());
    for (const auto& [name, entry] : source.entries()) {
      EXPECT_EQ(result.entries().at(name).type, "F32") << "which has each number of the shorter types";
      EXPECT_TRUE(same_bits(source.read(name), result.read(name))) << type << ' ' << name;
    }
    EXPECT_EQ(read_bytes(to / "vocab.txt"), read_bytes(from / "vocab.txt"));
    EXPECT_EQ(second->config.labels, first->config.labels);
  }
}

}  // namespace
}  // namespace espalier
