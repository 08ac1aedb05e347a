// SPDX-License-Identifier: Apache-2.0
// Layout: 8 bytes with the header's length n (little-endian), n bytes of JSON {name: {dtype, shape, data_offsets}}, the
// values. Offsets count from the end of the header. What we write has two checksums more in __metadata__:
//   header_checksum    of the header, in which these 16 digits are zeros
//   tensor_checksums   16 digits for each tensor, in the order of their values: see checksum_in_pieces
#include "data/models/safetensors.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <unordered_set>

#include "core/checksum.h"
#include "core/format.h"
#include "data/files/atomic_file.h"
#include "data/models/element_types.h"

namespace espalier {
namespace {

using Json = nlohmann::json;

constexpr int64_t largest_header = int64_t{16} << 20;  // bytes; an encoder's takes 0.1 MB

// A tensor's name, for messages.
std::string printable(const std::string& name) {
  return shortened(Json(name).dump(-1, ' ', false, Json::error_handler_t::replace), 120);
}

// The safetensors name of an element type.
const char* type_name(DType type) {
  constexpr const char* names[] = {"F32", "F64", "BF16", "I32", "I8", "U8"};
  return names[static_cast<size_t>(type)];
}

// What the JSON library calls with each part of the header, before any of it is kept. Throws Error for what would take
// far more memory than bytes in the file (the format nests three deep) and for a name that is listed twice. The
// library's own hook for this looks at all earlier tensors after each one.
struct HeaderCheck {
  const std::string& path;
  int depth = 0;
  std::unordered_set<std::string> names = {};

  bool open() {
    CHECK(++depth <= 4, path, ": the header nests deeper than safetensors does; it is damaged");
    return true;
  }
  bool close() { return --depth >= 0; }
  bool start_object(size_t) { return open(); }
  bool end_object() { return close(); }
  bool start_array(size_t) { return open(); }
  bool end_array() { return close(); }
  bool key(const std::string& name) {
    CHECK(depth > 1 || names.insert(name).second, path, ": tensor ", printable(name), " is listed twice");
    return true;
  }
  static bool null() { return true; }
  static bool boolean(bool) { return true; }
  static bool number_integer(int64_t) { return true; }
  static bool number_unsigned(uint64_t) { return true; }
  static bool number_float(double, const std::string&) { return true; }
  static bool string(const std::string&) { return true; }
  static bool binary(const Json::binary_t&) { return true; }
  [[noreturn]] bool parse_error(size_t byte, const std::string&, const Json::exception& error) const {
    // An error that is not of the syntax is how the JSON library calls 1e999.
    if (dynamic_cast<const Json::parse_error*>(&error) == nullptr)
      fail(path, ": the header holds a number that is too large; the file is damaged");
    fail(path, ": the header is not JSON at byte ", byte, "; the file is damaged or not safetensors");
  }
};

Json parse_header(const std::string& text, const std::string& path) {
  HeaderCheck check{path};
  Json::sax_parse(text, &check);
  return Json::parse(text);
}

const char* const header_key = "header_checksum";
const char* const tensors_key = "tensor_checksums";
const std::string no_digits(16, '0');

// Where the digits of the header's checksum begin; npos: nowhere.
size_t digits_in(const std::string& header) {
  const std::string before = '"' + std::string(header_key) + "\":\"";
  const size_t found = header.find(before);
  return found == std::string::npos ? found : found + before.size();
}

// Takes the checksums out of the metadata and checks the header; returns the tensors' checksums, 16 digits each. Empty
// for a file that has none.
std::string take_checksums(std::string header, std::map<std::string, std::string>& metadata, size_t tensors,
                           const std::string& path) {
  const auto of_header = metadata.extract(header_key), of_tensors = metadata.extract(tensors_key);
  if (of_header.empty() && of_tensors.empty()) return "";
  const size_t at = digits_in(header);
  const bool complete = !of_header.empty() && !of_tensors.empty() && of_tensors.mapped().size() == 16 * tensors &&
                        at != std::string::npos && of_header.mapped().size() == 16;
  if (complete) header.replace(at, 16, no_digits);
  CHECK(
      complete && hex(checksum(header)) == of_header.mapped(), path,
      ": the header does not fit its checksum; the file is damaged: take another copy of it, or, if it was changed on "
      "purpose, remove ",
      header_key, " and ", tensors_key, " from its __metadata__");
  return of_tensors.mapped();
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
  int64_t bytes = element_bytes(entry.type);
  CHECK(bytes > 0, what, " has the unknown dtype ", json["dtype"].dump());
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

// The extents must follow each other from the header to the end of the file. Returns them in this order.
std::vector<Safetensors::Entry*> in_order(std::map<std::string, Safetensors::Entry>& entries, const std::string& path,
                                          int64_t start, int64_t size) {
  std::vector<std::pair<const std::string, Safetensors::Entry>*> order;
  order.reserve(entries.size());
  for (auto& entry : entries) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return std::pair(a->second.first, a->second.bytes) < std::pair(b->second.first, b->second.bytes);
  });
  std::vector<Safetensors::Entry*> result;
  int64_t end = start;
  for (auto* entry : order) {
    CHECK(entry->second.first == end, path, ": tensor ", printable(entry->first),
          entry->second.first < end ? " overlaps the one before it" : " follows bytes of no tensor",
          "; the file is damaged");
    end += entry->second.bytes;
    result.push_back(&entry->second);
  }
  CHECK(end == size, path, ": ", size - end, " bytes at the end belong to no tensor; the file is damaged");
  return result;
}

}  // namespace

Safetensors::Safetensors(const std::filesystem::path& path) : file_(path) {
  const int64_t size = file_.size();
  uint64_t length = 0;
  CHECK(size >= 8, file_.path(), ": has ", size, " bytes; it is cut off or not safetensors");
  file_.read(0, std::as_writable_bytes(std::span(&length, 1)));
  CHECK(length <= static_cast<uint64_t>(size - 8), file_.path(), ": the header should have ", length,
        " bytes, the file has ", size, "; it is cut off or not safetensors");
  CHECK(length <= largest_header, file_.path(), ": the header has ", length, " bytes; at most ", largest_header,
        " are read");
  std::string text(length, '\0');
  file_.read(8, std::as_writable_bytes(std::span(text)));
  const int64_t start = 8 + static_cast<int64_t>(length);
  const Json header = parse_header(text, file_.path());
  CHECK(header.is_object(), file_.path(), ": the header is a JSON ", header.type_name(), "; expected an object");
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__") {
      for (const auto& [key, entry] : value.items())
        if (entry.is_string()) metadata_[key] = entry.get<std::string>();
    } else {
      entries_[name] = parse_entry(value, file_.path() + ": tensor " + printable(name), start, size);
    }
  }
  const std::vector<Entry*> order = in_order(entries_, file_.path(), start, size);
  const std::string sums = take_checksums(text, metadata_, order.size(), file_.path());
  for (size_t i = 0; 16 * i < sums.size(); ++i) order[i]->checksum = sums.substr(16 * i, 16);
}

Tensor Safetensors::read(const std::string& name) const {
  const auto found = entries_.find(name);
  CHECK(found != entries_.end(), file_.path(), ": there is no tensor ", printable(name));
  CHECK(found->second.shape.size() <= Shape::max_rank, file_.path(), ": tensor ", printable(name), " has ",
        found->second.shape.size(), " dimensions; at most ", Shape::max_rank, " are possible");
  Tensor values{Shape(std::span<const int64_t>(found->second.shape))};
  read_into(name, values);
  return values;
}

void Safetensors::read_into(const std::string& name, const Tensor& to) const {
  const auto found = entries_.find(name);
  CHECK(found != entries_.end(), file_.path(), ": there is no tensor ", printable(name));
  const Entry& entry = found->second;
  CHECK(entry.shape.size() <= Shape::max_rank && Shape(std::span<const int64_t>(entry.shape)) == to.shape(),
        file_.path(), ": tensor ", printable(name), " has the shape ", Json(entry.shape).dump(), "; expected ",
        to.shape());
  const uint64_t sum =
      read_reals(file_, entry.type, entry.first, to.span<float>(), file_.path() + ": tensor " + printable(name));
  CHECK(entry.checksum.empty() || hex(sum) == entry.checksum, file_.path(), ": tensor ", printable(name),
        " does not fit its checksum; the file is damaged: take another copy of it");
}

void write_safetensors(const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<const Tensor*>
      order;  // wide elements first, so that each tensor lies at a multiple of its element's size
  Json header = Json::object();
  int64_t end = 0;
  std::string sums;
  for (const size_t width : {8, 4, 2, 1}) {
    for (const auto& [name, tensor] : tensors) {
      if (size_of(tensor.dtype()) != width) continue;
      Json shape = Json::array();
      for (int i = 0; i < tensor.shape().rank(); ++i) shape.push_back(tensor.shape()[i]);
      const int64_t begin = end;
      end += static_cast<int64_t>(tensor.bytes());
      header[name] = {{"dtype", type_name(tensor.dtype())}, {"shape", shape}, {"data_offsets", {begin, end}}};
      order.push_back(&tensor);
      sums += hex(checksum_in_pieces(std::as_bytes(std::span(tensor.raw(), tensor.bytes()))));
    }
  }
  header["__metadata__"] = metadata;
  header["__metadata__"][header_key] = no_digits;
  header["__metadata__"][tensors_key] = sums;
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  text.replace(digits_in(text), 16, hex(checksum(text)));
  const uint64_t length = text.size();
  AtomicFile file(path);
  file.write({reinterpret_cast<const char*>(&length), sizeof length});
  file.write(text);
  for (const Tensor* tensor : order) file.write({reinterpret_cast<const char*>(tensor->raw()), tensor->bytes()});
  file.commit();
}

}  // namespace espalier
