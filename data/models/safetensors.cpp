// SPDX-License-Identifier: Apache-2.0
// Layout: 8 bytes with the header's length n (little-endian), n bytes of JSON {name: {dtype, shape, data_offsets}}, the
// values. Offsets count from the end of the header.
#include "data/models/safetensors.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <span>

#include "data/files/atomic_file.h"

namespace espalier {
namespace {

using Json = nlohmann::json;

constexpr int64_t largest_header = int64_t{16} << 20;  // bytes; an encoder's takes 0.1 MB

constexpr struct {
  const char* name;
  int bytes;
} types[] = {{"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"I64", 8},     {"I32", 4},     {"I16", 2}, {"I8", 1},
             {"U64", 8}, {"U32", 4}, {"U16", 2}, {"U8", 1},   {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"BOOL", 1}};

// The safetensors name of an element type.
const char* type_name(DType type) {
  constexpr const char* names[] = {"F32", "F64", "BF16", "I32", "I8", "U8"};
  return names[static_cast<size_t>(type)];
}

void read_bytes(int file, const std::string& path, int64_t first, std::span<std::byte> to) {
  while (!to.empty()) {
    const ssize_t n = ::pread(file, to.data(), to.size(), first);
    if (n < 0 && errno == EINTR) continue;
    CHECK(n >= 0, path, ": cannot be read: ", std::strerror(errno));
    CHECK(n > 0, path, ": ends at byte ", first, ", ", to.size(), " bytes early; it is cut off");
    to = to.subspan(static_cast<size_t>(n));
    first += n;
  }
}

float half_to_float(uint16_t half) {
  const uint32_t sign = (half & 0x8000U) << 16, exponent = (half >> 10) & 31U, fraction = half & 0x3ffU;
  if (exponent == 0)
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(static_cast<float>(fraction) * 0x1p-24F));
  return std::bit_cast<float>(sign | (exponent == 31 ? 255U : exponent + 112) << 23 | fraction << 13);
}

// Reads elements of type T piece by piece and converts them.
template <class T, class Convert>
void read_converted(int file, const std::string& path, int64_t first, std::span<float> to, Convert convert) {
  std::vector<T> piece(std::min<size_t>(to.size(), 1 << 16));
  for (size_t at = 0; at < to.size(); at += piece.size()) {
    const std::span<T> part = std::span(piece).first(std::min(piece.size(), to.size() - at));
    read_bytes(file, path, first + static_cast<int64_t>(at * sizeof(T)), std::as_writable_bytes(part));
    std::transform(part.begin(), part.end(), to.begin() + static_cast<std::ptrdiff_t>(at), convert);
  }
}

// The header as JSON. What would take far more memory than bytes in the file is refused: the format nests three deep.
Json parse_header(const std::string& text, const std::string& path) {
  std::set<std::string> names;
  const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
    CHECK(depth <= 3, path, ": the header nests deeper than safetensors does; it is damaged");
    if (event == Json::parse_event_t::key && depth == 1)
      CHECK(names.insert(parsed.get<std::string>()).second, path, ": tensor ", parsed.dump(), " is listed twice");
    return true;
  };
  try {
    return Json::parse(text, check);
  } catch (const Json::parse_error& error) {
    fail(path, ": the header is not JSON at byte ", error.byte, "; the file is damaged or not safetensors");
  } catch (const Json::out_of_range&) {  // how the JSON library calls 1e999
    fail(path, ": the header holds a number that is too large; the file is damaged");
  }
}

int64_t natural(const Json& value, const std::string& what) {
  CHECK(value.is_number_unsigned() && value.get<uint64_t>() <= INT64_MAX, what, " is ", value.dump().substr(0, 40),
        "; expected a whole number from 0 on");
  return value.get<int64_t>();
}

// One tensor of the header. `start` is where the values begin in a file of `size` bytes.
Safetensors::Entry parse_entry(const Json& json, const std::string& what, int64_t start, int64_t size) {
  const auto field = [&](const char* name, Json::value_t type) -> const Json& {
    CHECK(json.is_object() && json.contains(name) && json[name].type() == type, what, " has no proper ", name);
    return json[name];
  };
  Safetensors::Entry entry;
  entry.type = field("dtype", Json::value_t::string).get<std::string>();
  const auto* type =
      std::find_if(std::begin(types), std::end(types), [&](const auto& t) { return entry.type == t.name; });
  CHECK(type != std::end(types), what, " has the unknown dtype ", json["dtype"].dump());
  int64_t bytes = type->bytes;
  for (const Json& dim : field("shape", Json::value_t::array)) {
    entry.shape.push_back(natural(dim, what + ": a dimension"));
    CHECK(!__builtin_mul_overflow(bytes, entry.shape.back(), &bytes), what, ": the shape ", json["shape"].dump(),
          " is too large");
  }
  const Json& offsets = field("data_offsets", Json::value_t::array);
  CHECK(offsets.size() == 2, what, " has ", offsets.size(), " data_offsets; expected begin and end");
  const int64_t begin = natural(offsets[0], what + ": begin"), end = natural(offsets[1], what + ": end");
  CHECK(begin <= end && end <= size - start, what, " lies at bytes ", begin, " … ", end, " of ", size - start,
        "; the file is cut off or damaged");
  CHECK(end - begin == bytes, what, " has ", end - begin, " bytes; ", entry.type, " of shape ", json["shape"].dump(),
        " needs ", bytes);
  entry.first = start + begin;
  entry.bytes = bytes;
  return entry;
}

// The extents must follow each other from the header to the end of the file.
void check_extents(const std::map<std::string, Safetensors::Entry>& entries, const std::string& path, int64_t start,
                   int64_t size) {
  std::vector<std::pair<const std::string, Safetensors::Entry> const*> order;
  order.reserve(entries.size());
  for (const auto& entry : entries) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return std::pair(a->second.first, a->second.bytes) < std::pair(b->second.first, b->second.bytes);
  });
  int64_t end = start;
  for (const auto* entry : order) {
    CHECK(entry->second.first == end, path, ": tensor ", Json(entry->first).dump(),
          entry->second.first < end ? " overlaps the one before it" : " follows bytes of no tensor",
          "; the file is damaged");
    end += entry->second.bytes;
  }
  CHECK(end == size, path, ": ", size - end, " bytes at the end belong to no tensor; the file is damaged");
}

}  // namespace

Safetensors::Safetensors(const std::filesystem::path& path)
    : path_(path.string()), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  CHECK(file_ >= 0, path_, ": cannot be opened: ", std::strerror(errno));
  try {
    struct stat status {};
    CHECK(::fstat(file_, &status) == 0 && S_ISREG(status.st_mode), path_, ": is not a file");
    const auto size = static_cast<int64_t>(status.st_size);
    uint64_t length = 0;
    CHECK(size >= 8, path_, ": has ", size, " bytes; it is cut off or not safetensors");
    read_bytes(file_, path_, 0, std::as_writable_bytes(std::span(&length, 1)));
    CHECK(length <= static_cast<uint64_t>(size - 8), path_, ": the header should have ", length,
          " bytes, the file has ", size, "; it is cut off or not safetensors");
    CHECK(length <= largest_header, path_, ": the header has ", length, " bytes; at most ", largest_header,
          " are read");
    std::string text(length, '\0');
    read_bytes(file_, path_, 8, std::as_writable_bytes(std::span(text)));
    const int64_t start = 8 + static_cast<int64_t>(length);
    const Json header = parse_header(text, path_);
    CHECK(header.is_object(), path_, ": the header is a JSON ", header.type_name(), "; expected an object");
    for (const auto& [name, value] : header.items()) {
      if (name == "__metadata__") {
        for (const auto& [key, entry] : value.items())
          if (entry.is_string()) metadata_[key] = entry.get<std::string>();
      } else {
        entries_[name] = parse_entry(value, path_ + ": tensor " + Json(name).dump(), start, size);
      }
    }
    check_extents(entries_, path_, start, size);
  } catch (...) {
    ::close(file_);
    throw;
  }
}

Safetensors::~Safetensors() { ::close(file_); }

Tensor Safetensors::read(const std::string& name) const {
  const auto found = entries_.find(name);
  CHECK(found != entries_.end(), path_, ": there is no tensor ", Json(name).dump());
  CHECK(found->second.shape.size() <= Shape::max_rank, path_, ": tensor ", Json(name).dump(), " has ",
        found->second.shape.size(), " dimensions; at most ", Shape::max_rank, " are possible");
  Tensor values{Shape(std::span<const int64_t>(found->second.shape))};
  read_into(name, values);
  return values;
}

void Safetensors::read_into(const std::string& name, const Tensor& to) const {
  const auto found = entries_.find(name);
  CHECK(found != entries_.end(), path_, ": there is no tensor ", Json(name).dump());
  const Entry& entry = found->second;
  CHECK(entry.shape.size() <= Shape::max_rank && Shape(std::span<const int64_t>(entry.shape)) == to.shape(), path_,
        ": tensor ", Json(name).dump(), " has the shape ", Json(entry.shape).dump(), "; expected ", to.shape());
  const std::span<float> values = to.span<float>();
  if (entry.type == "F32")
    read_bytes(file_, path_, entry.first, std::as_writable_bytes(values));
  else if (entry.type == "F16")
    read_converted<uint16_t>(file_, path_, entry.first, values, half_to_float);
  else if (entry.type == "BF16")
    read_converted<Bf16>(file_, path_, entry.first, values, [](Bf16 value) { return static_cast<float>(value); });
  else if (entry.type == "F64")
    read_converted<double>(file_, path_, entry.first, values, [](double value) { return static_cast<float>(value); });
  else
    fail(path_, ": tensor ", Json(name).dump(), " has the dtype ", entry.type, "; expected F32, F16, BF16 or F64");
}

void write_safetensors(const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<const Tensor*>
      order;  // wide elements first, so that each tensor lies at a multiple of its element's size
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  int64_t end = 0;
  for (const size_t width : {8, 4, 2, 1}) {
    for (const auto& [name, tensor] : tensors) {
      if (size_of(tensor.dtype()) != width) continue;
      Json shape = Json::array();
      for (int i = 0; i < tensor.shape().rank(); ++i) shape.push_back(tensor.shape()[i]);
      const int64_t begin = end;
      end += static_cast<int64_t>(tensor.bytes());
      header[name] = {{"dtype", type_name(tensor.dtype())}, {"shape", shape}, {"data_offsets", {begin, end}}};
      order.push_back(&tensor);
    }
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t length = text.size();
  AtomicFile file(path);
  file.write({reinterpret_cast<const char*>(&length), sizeof length});
  file.write(text);
  for (const Tensor* tensor : order) file.write({reinterpret_cast<const char*>(tensor->raw()), tensor->bytes()});
  file.commit();
}

}  // namespace espalier
