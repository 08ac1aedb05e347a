// SPDX-License-Identifier: Apache-2.0
#include "data/models/safetensors.h"

#include <sys/stat.h>

#include <bit>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "tests/temporary.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

std::string with_length(const std::string& header) {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + header;
}

class SafetensorsFile : public testing::Test {
 protected:
  // The error text without the path, for a file with this header and so many bytes of values.
  std::string error(const std::string& header, size_t values) const {
    return error_of_bytes(with_length(header) + std::string(values, 'v'));
  }
  std::string error_of_bytes(const std::string& bytes) const {
    write_bytes(file_, bytes);
    std::string text = error_of<Error>([&] { const Safetensors opened(file_); });
    if (text == "no error") return text;
    EXPECT_EQ(text.find(file_.string() + ": "), 0U) << text;
    return text.substr(std::min(text.size(), file_.string().size() + 2));
  }

  TemporaryFolder folder_;
  fs::path file_ = folder_ / "a.safetensors";
};

TEST_F(SafetensorsFile, ReadsEachFloatingPointTypeAsTheReferenceWritesIt) {
  const Safetensors file(fs::path(ESPALIER_TESTS_DIR) / "golden" / "types.safetensors");
  const auto bits = [](float value) { return std::bit_cast<uint32_t>(value); };
  const auto expect = [&](const std::string& name, const std::vector<float>& values) {
    const Tensor t = file.read(name);
    EXPECT_EQ(t.shape(), Shape({2, 3})) << name;
    for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(bits(t.data<float>()[i]), bits(values[i])) << name << ' ' << i;
  };
  expect("float64", {0.0F, -0.0F, 1.0F, -2.5F, 65504.0F, 6e-8F});
  expect("float32", {0.0F, -0.0F, 1.0F, -2.5F, 65504.0F, 6e-8F});
  expect("float16", {0.0F, -0.0F, 1.0F, -2.5F, 65504.0F, 0x1p-24F});
  expect("bfloat16", {0.0F, -0.0F, 1.0F, -2.5F, 65536.0F, 0x1.02p-24F});
  EXPECT_EQ(file.read("scalar").shape(), Shape());
  EXPECT_EQ(file.read("scalar").data<float>()[0], 7.0F);
  EXPECT_EQ(file.read("empty").shape(), Shape({0, 3}));
  EXPECT_EQ(file.entries().at("position_ids").type, "I64");
  EXPECT_EQ(file.entries().at("five").shape, (std::vector<int64_t>{1, 1, 1, 1, 2}));
  EXPECT_EQ(file.metadata().at("note"), "each type");
  expect_in(error_of<Error>([&] { file.read("position_ids"); }),
            "tensor \"position_ids\" has the dtype I64; expected F32");
  expect_in(error_of<Error>([&] { file.read("five"); }), "tensor \"five\" has 5 dimensions; at most 4");
  expect_in(error_of<Error>([&] { file.read("none"); }), "there is no tensor \"none\"");
  expect_in(error_of<Error>([&] {
              file.read_into("float32", Tensor({3, 2}));
            }),
            "has the shape [2,3]; expected [3, 2]");
}

TEST_F(SafetensorsFile, EveryHalfHasItsValue) {
  std::string values;
  for (uint32_t h = 0; h < 65536; ++h) values += {static_cast<char>(h & 255), static_cast<char>(h >> 8)};
  write_bytes(file_, with_length(R"({"h":{"dtype":"F16","shape":[65536],"data_offsets":[0,131072]}})") + values);
  const Tensor t = Safetensors(file_).read("h");
  for (uint32_t h = 0; h < 65536; ++h) {
    const int exponent = static_cast<int>(h >> 10 & 31), fraction = static_cast<int>(h & 1023);
    double value = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    if (exponent == 31) value = fraction == 0 ? std::numeric_limits<double>::infinity() : std::nan("");
    if (h >= 32768) value = -value;
    const float found = t.data<float>()[h];
    if (std::isnan(value))
      EXPECT_TRUE(std::isnan(found)) << h;
    else
      EXPECT_EQ(static_cast<double>(found), value) << h;
    EXPECT_EQ(std::signbit(found), h >= 32768) << h;
  }
}

TEST_F(SafetensorsFile, WritesWhatItReads) {
  Tensor a({70000, 2}), b({3}, DType::bf16), c({2, 1, 2}, DType::u8), d({}, DType::f64);
  for (int64_t i = 0; i < a.size(); ++i) a.data<float>()[i] = 1.0F / static_cast<float>(i + 1);
  for (int64_t i = 0; i < 3; ++i) b.data<Bf16>()[i] = Bf16(static_cast<float>(i) - 0.5F);
  c.fill_zero();
  d.data<double>()[0] = 0.125;
  const std::map<std::string, Tensor> tensors = {{"c", c}, {"bf", b}, {"a \"quoted\" näme", a}, {"d", d}};
  write_safetensors(file_, tensors, {{"format", "pt"}});
  const std::string bytes = read_bytes(file_);
  EXPECT_EQ(bytes.size() % 8, (8 + 70000 * 8 + 6 + 4) % 8U);  // the header is padded to 8 bytes
  const Safetensors file(file_);
  EXPECT_EQ(file.entries().size(), 4U);
  EXPECT_EQ(file.metadata(), (std::map<std::string, std::string>{{"format", "pt"}}));
  EXPECT_EQ(std::memcmp(file.read("a \"quoted\" näme").raw(), a.raw(), a.bytes()), 0);
  EXPECT_EQ(file.read("bf").data<float>()[2], 1.5F);
  EXPECT_EQ(file.read("d").data<float>()[0], 0.125F);
  EXPECT_EQ(file.entries().at("c").type, "U8");
  for (const auto& [name, entry] : file.entries())
    EXPECT_EQ(entry.first % (entry.type == "F64" ? 8 : entry.type == "F32" ? 4 : 1), 0) << name;
  write_safetensors(file_, tensors, {{"format", "pt"}});
  EXPECT_EQ(read_bytes(file_), bytes);
}

TEST_F(SafetensorsFile, EachWrongHeaderIsNamed) {
  const std::string a = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})",
                    b = R"("b":{"dtype":"F32","shape":[1],"data_offsets":)";
  EXPECT_EQ(error("{" + a + "," + b + "[8,12]}}", 12), "no error");
  EXPECT_EQ(error("{}", 0), "no error");
  EXPECT_EQ(error_of_bytes("short"), "has 5 bytes; it is cut off or not safetensors");
  expect_in(error_of_bytes("<!DOCTYPE html><html>"), "the header should have 5789751444030890300 bytes");
  EXPECT_EQ(error_of_bytes(with_length("{" + a + "}").substr(0, 30)),
            "the header should have 54 bytes, the file has 30; it is cut off or not safetensors");
  expect_in(error("{" + a, 8), "the header is not JSON at byte 54");
  expect_in(error("[1]", 0), "the header is a JSON array");
  expect_in(error("{" + a + "}", 7), "tensor \"a\" lies at bytes 0 … 8 of 7; the file is cut off or damaged");
  expect_in(error("{" + a + "}", 9), "1 bytes at the end belong to no tensor");
  expect_in(error("{" + a + "," + b + "[9,13]}}", 13), "tensor \"b\" follows bytes of no tensor");
  expect_in(error("{" + a + "," + b + "[4,8]}}", 8), "tensor \"b\" overlaps the one before it");
  expect_in(error("{" + a + "," + b + "[8,11]}}", 12), "tensor \"b\" has 3 bytes; F32 of shape [1] needs 4");
  expect_in(error("{" + a + "," + b + "[12,8]}}", 12), "tensor \"b\" lies at bytes 12 … 8");
  expect_in(error("{" + a + "," + b + "[8,12,1]}}", 12), "has 3 data_offsets");
  expect_in(error("{" + a + "," + b + "[-8,12]}}", 12), "begin is -8; expected a whole number");
  expect_in(error("{" + a + "," + b + "[8.0,12]}}", 12), "begin is 8.0; expected a whole number");
  expect_in(error("{" + a + "," + b + "[8,99999999999999999999]}}", 12), "end is 1e+20; expected a whole number");
  expect_in(error("{" + a + "," + b + "[8,1e999]}}", 12), "holds a number that is too large");
  expect_in(error("{" + a + "," + a + "}", 8), "tensor \"a\" is listed twice");
  expect_in(error(R"({"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}})", 8), "has the unknown dtype \"F31\"");
  expect_in(error(R"({"a":{"dtype":4,"shape":[2],"data_offsets":[0,8]}})", 8), "has no proper dtype");
  expect_in(error(R"({"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})", 8), "has no proper shape");
  expect_in(error(R"({"a":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}})", 8), "a dimension is \"2\"");
  expect_in(error(R"({"a":{"dtype":"F32","shape":[2]}})", 8), "has no proper data_offsets");
  expect_in(error(R"({"a":[0,8]})", 8), "has no proper dtype");
  expect_in(error(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,8]}})", 8),
            "is too large");
  expect_in(error(R"({"a":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}})", 4), "is too large");
  expect_in(error(std::string(1 << 20, '['), 0), "nests deeper than safetensors does");
  expect_in(error(std::string((16 << 20) + 1, ' '), 0), "at most 16777216 are read");
  expect_in(error_of<Error>([&] { const Safetensors opened(folder_ / "none"); }),
            "none: cannot be opened: No such file or directory");
  expect_in(error_of<Error>([&] { const Safetensors opened(folder_.path()); }), "is a directory; expected a file");
}

TEST_F(SafetensorsFile, EveryFlippedByteOfWhatWeWriteIsAnError) {
  Tensor a({20, 3}), b({5}, DType::f64), c({3}, DType::bf16);
  for (const Tensor& t : {a, b, c}) t.fill_zero();
  write_safetensors(file_, {{"a", a}, {"b", b}, {"c", c}}, {{"format", "pt"}});
  const std::string whole = read_bytes(file_);
  std::mt19937 random(1);
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const int flip : {1 << random() % 8, 255}) {
      std::string bytes = whole;
      bytes[i] = static_cast<char>(bytes[i] ^ flip);
      write_bytes(file_, bytes);
      const std::string text = error_of<Error>([&] {
        const Safetensors file(file_);
        for (const auto& [name, entry] : file.entries()) file.read(name);
      });
      EXPECT_TRUE(text.starts_with(file_.string() + ": ")) << i << ": " << text;
    }
  }
}

TEST_F(SafetensorsFile, LongHeadersTakeNoLongTime) {
  std::string header = "{";
  constexpr int tensors = 100'000;
  for (int i = 0; i < tensors; ++i)
    header += "\"t" + std::to_string(i) + R"(":{"dtype":"U8","shape":[1],"data_offsets":[)" + std::to_string(i) + "," +
              std::to_string(i + 1) + (i + 1 < tensors ? "]}," : "]}}");
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(error(header, tensors), "no error");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20)) << "it was quadratic: minutes";
}

TEST_F(SafetensorsFile, PipesAreRefusedAndNotWaitedFor) {
  ASSERT_EQ(::mkfifo(file_.c_str(), 0600), 0);
  expect_in(error_of<Error>([&] { const Safetensors opened(file_); }), "is a pipe; expected a file");
}

// Thousands of damaged files: an Error or other values, never a crash or more memory than the file has bytes for.
TEST_F(SafetensorsFile, DamagedFilesAreErrorsOrOtherValues) {
  const std::string whole = read_bytes(fs::path(ESPALIER_TESTS_DIR) / "golden" / "types.safetensors");
  std::mt19937 random(7);
  const std::string pieces[] = {
      "[", "]", "{", "}", ",", ":", "\"", "0", "-1", "9", "F64", "data_offsets", "1e9", "999999999999", "null", "\xff"};
  reset_storage_peak();
  int errors = 0;
  for (int i = 0; i < 10000; ++i) {
    std::string bytes = whole;
    for (int edits = 0; edits <= i % 3; ++edits) {
      const size_t at = random() % (i % 2 == 0 ? 700 : bytes.size());
      if (const auto kind = random() % 4; kind == 0)
        bytes[at] = static_cast<char>(random());
      else if (kind == 1)
        bytes.replace(at, random() % 4, pieces[random() % std::size(pieces)]);
      else if (kind == 2)
        bytes.erase(at, random() % 30);
      else
        bytes.insert(at, bytes.substr(random() % bytes.size(), random() % 30));
    }
    if (i % 2 == 0) {  // with the length that belongs to the header, so that more than the first check is reached
      const uint64_t length = bytes.size() - 90;
      std::memcpy(bytes.data(), &length, sizeof length);
    }
    write_bytes(file_, bytes);
    errors += error_of<Error>([&] {
                const Safetensors file(file_);
                for (const auto& [name, entry] : file.entries())
                  if (entry.type[0] == 'F' && entry.shape.size() <= 4) file.read(name);
              }) != "no error"
                  ? 1
                  : 0;
  }
  EXPECT_GT(errors, 5000);
  EXPECT_LT(storage_stats().peak, size_t{1} << 16);
}

}  // namespace
}  // namespace espalier
