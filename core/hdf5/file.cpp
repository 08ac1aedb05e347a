// SPDX-License-Identifier: Apache-2.0
// Files, groups and attributes; the datasets are in core/hdf5/dataset.cpp.
#include "core/hdf5/file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/disk_error.h"
#include "core/hdf5/driver.h"
#include "core/hdf5/handles.h"

namespace espalier {
namespace {

constexpr size_t longest_attribute = 65'000;

const char* const checksums_key = "checksums";  // attribute of the root group of files that end with them
const char* const checksums_kind = "XXH3/64 of each 16 KiB, behind the end of the HDF5 data";

std::string reason(int error) { return error != 0 ? std::string(": ") + std::strerror(error) : ""; }

// The format is that of HDF5 1.8: the first with checksums on all metadata, and one that every newer release reads.
Hdf5Id access_properties(Hdf5Access* shared) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // errors are told by exceptions
  Hdf5Id access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);
  H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
  set_driver(access, shared);
  return access;
}

}  // namespace

void Hdf5Node::check_name(const std::string& name) const {
  CHECK(!name.empty() && name != "." && name.find('/') == std::string::npos && name.find('\0') == std::string::npos,
        file, ": \"", name, "\" cannot be a name in ", path);
}

bool Hdf5Node::has_link(const std::string& name) const {
  check_name(name);
  const htri_t there = H5Lexists(id, name.c_str(), H5P_DEFAULT);
  CHECK(there >= 0, file, ": ", path, name, " cannot be read", access->cause());
  return there > 0;
}

void Hdf5Node::check_new(const std::string& name) const {
  CHECK(!has_link(name), file, ": ", path, name, " exists already");
}

void Hdf5Node::find(const std::string& name) const {
  CHECK(has_link(name), file, ": there is no ", path, name, "; the file is incomplete or of another kind");
  H5L_info_t link;
  CHECK(H5Lget_info(id, name.c_str(), &link, H5P_DEFAULT) >= 0, file, ": ", path, name, " cannot be read",
        access->cause());
  CHECK(link.type == H5L_TYPE_HARD, file, ": ", path, name,
        " is a link to somewhere else; expected a group or dataset of this file");
}

std::string Hdf5Group::where(const std::string& name) const { return handle_->file + ": " + handle_->path + name; }

bool begins_as_hdf5(const std::filesystem::path& path) {
  const std::string_view signature = "\x89HDF\r\n\x1a\n";
  const InputFile file(path);
  std::string start(static_cast<size_t>(std::min(file.size(), std::ssize(signature))), '\0');
  file.read(0, std::as_writable_bytes(std::span(start)));
  return start == signature;
}

Hdf5Group Hdf5Group::create_group(const std::string& name) const {
  handle_->check_new(name);
  const Hdf5Id create = creation_properties(H5P_GROUP_CREATE);
  Hdf5Id id(H5Gcreate2(handle_->id, name.c_str(), H5P_DEFAULT, create, H5P_DEFAULT), H5Gclose);
  if (id < 0) throw Failure(where(name) + " cannot be made");
  return Hdf5Group(std::make_shared<Hdf5Node>(
      Hdf5Node{std::move(id), handle_->file, handle_->path + name + '/', 0, handle_->access}));
}

Hdf5Group Hdf5Group::group(const std::string& name) const {
  handle_->find(name);
  Hdf5Id id(H5Gopen2(handle_->id, name.c_str(), H5P_DEFAULT), H5Gclose);
  CHECK(id >= 0, where(name), " cannot be opened as a group", handle_->access->cause());
  return Hdf5Group(std::make_shared<Hdf5Node>(
      Hdf5Node{std::move(id), handle_->file, handle_->path + name + '/', handle_->file_size, handle_->access}));
}

bool Hdf5Group::contains(const std::string& name) const { return handle_->has_link(name); }

std::vector<std::string> Hdf5Group::names() const {
  std::vector<std::string> names;
  const auto add = [](hid_t /*group*/, const char* name, const H5L_info_t* /*info*/, void* to) -> herr_t {
    static_cast<std::vector<std::string>*>(to)->emplace_back(name);
    return 0;
  };
  CHECK(H5Literate(handle_->id, H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, add, &names) >= 0, where(""),
        " cannot be listed", handle_->access->cause());
  std::sort(names.begin(), names.end());
  return names;
}

void Hdf5Group::set_attribute(const std::string& name, const std::string& key, const std::string& text) const {
  if (name != ".") handle_->find(name);
  CHECK(text.size() <= longest_attribute, where(name), ": attribute ", key, " has ", text.size(), " bytes; at most ",
        longest_attribute, " are possible");
  const Hdf5Id type(H5Tcopy(H5T_C_S1), H5Tclose), space(H5Screate(H5S_SCALAR), H5Sclose);
  H5Tset_size(type, std::max<size_t>(text.size(), 1));
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  H5Tset_cset(type, H5T_CSET_UTF8);
  const Hdf5Id attribute(
      H5Acreate_by_name(handle_->id, name.c_str(), key.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
      H5Aclose);
  if (attribute < 0 || H5Awrite(attribute, type, text.c_str()) < 0)
    throw Failure(where(name) + ": attribute " + key + " cannot be written");
}

std::string Hdf5Group::attribute(const std::string& name, const std::string& key) const {
  CHECK(has_attribute(name, key), where(name), ": there is no attribute ", key);
  const Hdf5Id attribute(H5Aopen_by_name(handle_->id, name.c_str(), key.c_str(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  CHECK(attribute >= 0, where(name), ": attribute ", key, " cannot be read", handle_->access->cause());
  const Hdf5Id type(H5Aget_type(attribute), H5Tclose), space(H5Aget_space(attribute), H5Sclose);
  const bool fixed = H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0;
  const size_t size = fixed ? H5Tget_size(type) : 0;
  CHECK(size > 0 && size <= longest_attribute && H5Sget_simple_extent_npoints(space) == 1, where(name), ": attribute ",
        key, " is no text of fixed length, at most ", longest_attribute, " bytes");
  std::string text(size, '\0');
  CHECK(H5Aread(attribute, type, text.data()) >= 0, where(name), ": attribute ", key, " cannot be read",
        handle_->access->cause());
  text.resize(text.find_last_not_of('\0') + 1);
  return text;
}

bool Hdf5Group::has_attribute(const std::string& name, const std::string& key) const {
  if (name != ".") handle_->find(name);
  const htri_t there = H5Aexists_by_name(handle_->id, name.c_str(), key.c_str(), H5P_DEFAULT);
  CHECK(there >= 0, where(name), ": attribute ", key, " cannot be read", handle_->access->cause());
  return there > 0;
}

struct Hdf5File::Handle {
  std::string name;
  std::unique_ptr<Hdf5Access> access;  // outlives the file, see core/hdf5/driver.h
  Hdf5Id id;
};

Hdf5File::Hdf5File(std::unique_ptr<Handle> handle, Hdf5Group root)
    : handle_(std::move(handle)), root_(std::move(root)) {}
Hdf5File::Hdf5File(Hdf5File&&) noexcept = default;
Hdf5File::~Hdf5File() {
  if (handle_ != nullptr) handle_->access->error = ECANCELED;  // not closed: nothing more is written
}

Hdf5File Hdf5File::create(const std::filesystem::path& path, const std::string& shown_as) {
  auto shared = std::make_unique<Hdf5Access>();
  const Hdf5Id access = access_properties(shared.get()), creation = creation_properties(H5P_FILE_CREATE);
  errno = 0;
  Hdf5Id id(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation, access), H5Fclose);
  if (id < 0) refuse_writing(shown_as + ": cannot be created", errno);
  Hdf5Id root(H5Gopen2(id, "/", H5P_DEFAULT), H5Gclose);
  auto group = std::make_shared<Hdf5Node>(Hdf5Node{std::move(root), shown_as, "/", 0, shared.get()});
  Hdf5File file(std::make_unique<Handle>(Handle{shown_as, std::move(shared), std::move(id)}),
                Hdf5Group(std::move(group)));
  file.root().set_attribute(".", checksums_key, checksums_kind);
  return file;
}

Hdf5File Hdf5File::open(const std::filesystem::path& path) {
  const std::string name = path.string();
  auto shared = std::make_unique<Hdf5Access>(Hdf5Access{.input = std::make_unique<InputFile>(path)});
  shared->checksums = BlockChecksums::read(*shared->input);
  const Hdf5Id access = access_properties(shared.get());
  Hdf5Id id(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access), H5Fclose);
  CHECK(id >= 0, name, ": cannot be opened as HDF5", shared->cause("; it is of another kind, damaged or cut off"));
  Hdf5Id root(H5Gopen2(id, "/", H5P_DEFAULT), H5Gclose);
  CHECK(root >= 0, name, ": has no root group", shared->cause());
  const auto size = static_cast<uint64_t>(shared->input->size());
  auto group = std::make_shared<Hdf5Node>(Hdf5Node{std::move(root), name, "/", size, shared.get()});
  Hdf5File file(std::make_unique<Handle>(Handle{name, std::move(shared), std::move(id)}), Hdf5Group(std::move(group)));
  const bool checked = file.handle_->access->checksums.has_value();
  CHECK(checked || !file.root().has_attribute(".", checksums_key), name,
        ": the checksums at its end are missing: it is cut off, or another program changed it; take another copy of "
        "it, or delete the attribute ",
        checksums_key, " of its root group to trust it as it is");
  return file;
}

void Hdf5File::close() {
  const bool closed = H5Fclose(handle_->id.release()) >= 0;
  const int error = handle_->access->error;
  if (!closed || error != 0) throw Failure(handle_->name + ": cannot be written" + reason(error));
}

}  // namespace espalier
