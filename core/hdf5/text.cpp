// SPDX-License-Identifier: Apache-2.0
// The texts of core/hdf5/file: HDF5 strings in UTF-8. Files of before there were any have bytes instead.
#include <algorithm>
#include <cstring>
#include <deque>
#include <utility>

#include "core/hdf5/file.h"
#include "core/hdf5/handles.h"

namespace espalier {
namespace {

constexpr uint64_t reference_bytes = 16;  // what an array keeps of a string of variable length
constexpr uint64_t object_bytes = 16;     // and what HDF5 adds to the string itself

Hdf5Id string_type(size_t size) {
  Hdf5Id type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type, size);  // or H5T_VARIABLE
  if (size != H5T_VARIABLE) H5Tset_strpad(type, H5T_STR_NULLPAD);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

void write_strings(hid_t group, const std::string& name, hid_t type, hid_t space, const void* strings,
                   const std::string& where) {
  const Hdf5Id create = creation_properties(H5P_DATASET_CREATE);
  const Hdf5Id dataset(H5Dcreate2(group, name.c_str(), type, space, H5P_DEFAULT, create, H5P_DEFAULT), H5Dclose);
  if (dataset < 0 || H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, strings) < 0)
    throw Failure(where + " cannot be written");
}

// The dataset of a text, or of a list of them, with all that its header claims checked.
struct Strings {
  Strings(const Hdf5Node& node, const std::string& name, int rank)
      : dataset(node.open_dataset(name)), type(H5Dget_type(dataset), H5Tclose) {
    const std::string where = node.file + ": " + node.path + name;
    const Hdf5Id space(H5Dget_space(dataset), H5Sclose);
    const bool strings = H5Tget_class(type) == H5T_STRING;
    bytes = H5Tequal(type, H5T_STD_U8LE) > 0;
    const int wanted = bytes ? 1 : rank;
    CHECK((strings || bytes) && H5Sget_simple_extent_ndims(space) == wanted &&
              H5Sget_simple_extent_type(space) != H5S_NULL,
          where, " is no ", rank == 0 ? "text" : "list of texts", "; the file is damaged or of another kind");
    variable = strings && H5Tis_variable_str(type) > 0;
    count = static_cast<uint64_t>(H5Sget_simple_extent_npoints(space));
    size = variable ? reference_bytes : H5Tget_size(type);
    node.check_stored(dataset, where, count, size);
  }
  Hdf5Id dataset, type;
  bool bytes = false, variable = false;
  uint64_t count = 0, size = 0;  // size: of one, in the file
};

// What HDF5 asks for while it reads strings of variable length; no more than the file can hold.
struct Arena {
  uint64_t left;
  std::deque<std::string> pieces = {};
  static void* allocate(size_t size, void* arena) {
    auto& a = *static_cast<Arena*>(arena);
    if (size > a.left) return nullptr;
    a.left -= size;
    return a.pieces.emplace_back(size, '\0').data();
  }
  static void release(void* /*memory*/, void* /*arena*/) {}
};

// All strings behind each other, each of strings.size bytes.
std::string read_fixed(const Strings& strings, const Hdf5Node& node, const std::string& where) {
  std::string text(strings.count * strings.size, '\0');
  CHECK(H5Dread(strings.dataset, strings.type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data()) >= 0, where,
        " cannot be read", node.access->cause("; the file is damaged or cut off"));
  return text;
}

std::vector<std::string> read_variable(const Strings& strings, const Hdf5Node& node, const std::string& where) {
  std::vector<char*> found(strings.count);
  Arena arena{node.file_size + strings.count};  // with a NUL each
  const Hdf5Id transfer(H5Pcreate(H5P_DATASET_XFER), H5Pclose), type = string_type(H5T_VARIABLE);
  H5Pset_vlen_mem_manager(transfer, Arena::allocate, &arena, Arena::release, &arena);
  CHECK(H5Dread(strings.dataset, type, H5S_ALL, H5S_ALL, transfer, found.data()) >= 0, where, " cannot be read",
        node.access->cause("; the file is damaged or cut off"));
  std::vector<std::string> texts;
  texts.reserve(found.size());
  for (const char* text : found) texts.emplace_back(text != nullptr ? text : "");
  return texts;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t from = 0; from < text.size();) {
    const size_t end = std::min(text.find('\n', from), text.size());
    lines.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  return lines;
}

}  // namespace

void Hdf5Group::write_text(const std::string& name, std::string_view text) const {
  handle_->check_new(name);
  const std::string value(text.empty() ? std::string_view("\0", 1) : text);  // no string has zero bytes
  const Hdf5Id type = string_type(value.size()), space(H5Screate(H5S_SCALAR), H5Sclose);
  write_strings(handle_->id, name, type, space, value.data(), where(name));
}

std::string Hdf5Group::read_text(const std::string& name) const {
  const Strings strings(*handle_, name, 0);
  if (strings.variable) return read_variable(strings, *handle_, where(name)).front();
  std::string text = read_fixed(strings, *handle_, where(name));
  if (!strings.bytes && text == std::string(1, '\0')) text.clear();
  return text;
}

void Hdf5Group::write_texts(const std::string& name, const std::vector<std::string>& texts) const {
  handle_->check_new(name);
  uint64_t longest = 1, variable = 0;
  for (const std::string& text : texts) {
    CHECK(text.find('\0') == std::string::npos, where(name), ": a text holds a NUL byte, which no list can hold");
    longest = std::max<uint64_t>(longest, text.size());
    variable += reference_bytes + object_bytes + (text.size() + 7) / 8 * 8;
  }
  const hsize_t count = texts.size();
  const Hdf5Id space(H5Screate_simple(1, &count, nullptr), H5Sclose);
  if (longest * count <= variable) {
    std::string padded(longest * count, '\0');
    for (size_t i = 0; i < texts.size(); ++i)
      std::ranges::copy(texts[i], padded.begin() + static_cast<int64_t>(i * longest));
    return write_strings(handle_->id, name, string_type(longest), space, padded.data(), where(name));
  }
  std::vector<const char*> starts;
  starts.reserve(texts.size());
  for (const std::string& text : texts) starts.push_back(text.c_str());
  write_strings(handle_->id, name, string_type(H5T_VARIABLE), space, starts.data(), where(name));
}

std::vector<std::string> Hdf5Group::read_texts(const std::string& name) const {
  const Strings strings(*handle_, name, 1);
  if (strings.variable) return read_variable(strings, *handle_, where(name));
  const std::string all = read_fixed(strings, *handle_, where(name));
  if (strings.bytes) return lines_of(all);
  std::vector<std::string> texts;
  texts.reserve(strings.count);
  for (uint64_t i = 0; i < strings.count; ++i) {
    const std::string_view text = std::string_view(all).substr(i * strings.size, strings.size);
    texts.emplace_back(text.substr(0, text.find('\0')));
  }
  return texts;
}

}  // namespace espalier
