// SPDX-License-Identifier: Apache-2.0
// The datasets of core/hdf5/file: tensors, each stored in one piece and moved without a copy.
#include <algorithm>
#include <array>
#include <span>

#include "core/hdf5/file.h"
#include "core/hdf5/handles.h"

namespace espalier {
namespace {

const char* const type_key = "type";  // attribute of u16 datasets that hold bf16

hid_t stored_type(DType type) {
  switch (type) {
    case DType::f32:
      return H5T_IEEE_F32LE;
    case DType::f64:
      return H5T_IEEE_F64LE;
    case DType::bf16:
      return H5T_STD_U16LE;
    case DType::i32:
      return H5T_STD_I32LE;
    case DType::s8:
      return H5T_STD_I8LE;
    default:
      return H5T_STD_U8LE;
  }
}

Hdf5Id space_of(const Shape& shape) {
  std::array<hsize_t, Shape::max_rank> dims{};
  for (int i = 0; i < shape.rank(); ++i) dims[i] = static_cast<hsize_t>(shape[i]);
  return {shape.rank() == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(shape.rank(), dims.data(), nullptr), H5Sclose};
}

Hdf5Id create_dataset(hid_t group, const std::string& name, DType type, hid_t space, const std::string& where) {
  const Hdf5Id create = creation_properties(H5P_DATASET_CREATE);
  H5Pset_fill_time(create, H5D_FILL_TIME_NEVER);  // every element is written
  Hdf5Id dataset(H5Dcreate2(group, name.c_str(), stored_type(type), space, H5P_DEFAULT, create, H5P_DEFAULT), H5Dclose);
  if (dataset < 0) throw Failure(where + " cannot be written");
  return dataset;
}

void write_dataset(hid_t group, const std::string& name, DType type, hid_t space, const void* values,
                   const std::string& where) {
  const Hdf5Id dataset = create_dataset(group, name, type, space, where);
  if (H5Dwrite(dataset, stored_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
    throw Failure(where + " cannot be written");
}

// Rows first … of the dataset, as many as `rows` has; throws unless they are there and of this type.
Hdf5Id choose_rows(hid_t dataset, int64_t first, const Tensor& rows, const std::string& where) {
  const Hdf5Id type(H5Dget_type(dataset), H5Tclose);
  Hdf5Id space(H5Dget_space(dataset), H5Sclose);
  std::array<hsize_t, H5S_MAX_RANK> dims{};
  std::array<hsize_t, Shape::max_rank> start{}, count{};
  const int rank = H5Sget_simple_extent_dims(space, dims.data(), nullptr);
  bool fits = rank == rows.shape().rank() && rank > 0 && H5Tequal(type, stored_type(rows.dtype())) > 0;
  for (int i = 0; i < rank && fits; ++i) {
    start[i] = i == 0 ? static_cast<hsize_t>(first) : 0;
    count[i] = static_cast<hsize_t>(rows.shape()[i]);
    fits = i == 0 ? first >= 0 && start[i] + count[i] <= dims[i] : count[i] == dims[i];
  }
  CHECK(fits && H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr) >= 0, where,
        " has no rows ", first, " … of ", name_of(rows.dtype()), rows.shape());
  return space;
}

void read_dataset(hid_t dataset, DType type, void* to, const std::string& where, const Hdf5Access& access) {
  CHECK(H5Dread(dataset, stored_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, to) >= 0, where, " cannot be read",
        access.cause("; the file is damaged or cut off"));
}

}  // namespace

Hdf5Id Hdf5Node::open_dataset(const std::string& name) const {
  find(name);
  Hdf5Id dataset(H5Dopen2(id, name.c_str(), H5P_DEFAULT), H5Dclose);
  CHECK(dataset >= 0, file, ": ", path, name, " cannot be opened as a dataset", access->cause());
  return dataset;
}

void Hdf5Node::check_stored(hid_t dataset, const std::string& where, uint64_t count, uint64_t size) const {
  CHECK(count <= file_size / size, where, " claims more bytes than the file's ", file_size,
        "; the file is damaged or cut off");
  const Hdf5Id create(H5Dget_create_plist(dataset), H5Pclose);
  const H5D_layout_t layout = H5Pget_layout(create);
  CHECK((layout == H5D_CONTIGUOUS || layout == H5D_COMPACT) && H5Pget_external_count(create) == 0, where,
        " is not stored in one piece; write the file again, or use h5repack --layout CONTI");
  CHECK(H5Dget_storage_size(dataset) == count * size, where, " should have ", count * size, " bytes, but ",
        H5Dget_storage_size(dataset), " are stored; the file is damaged");
}

void Hdf5Group::write(const std::string& name, const Tensor& values) const {
  handle_->check_new(name);
  const Hdf5Id space = space_of(values.shape());
  write_dataset(handle_->id, name, values.dtype(), space, values.raw(), where(name));
  if (values.dtype() == DType::bf16) set_attribute(name, type_key, name_of(DType::bf16));
}

Hdf5Group::Info Hdf5Group::info(const std::string& name) const {
  const Hdf5Id dataset = handle_->open_dataset(name), type(H5Dget_type(dataset), H5Tclose),
               space(H5Dget_space(dataset), H5Sclose);
  Info info{};
  bool known = false;
  for (const DType t : {DType::f32, DType::f64, DType::i32, DType::s8, DType::u8, DType::bf16}) {
    if (H5Tequal(type, stored_type(t)) <= 0) continue;
    known = t != DType::bf16 || (has_attribute(name, type_key) && attribute(name, type_key) == name_of(t));
    info.type = t;
  }
  CHECK(known, where(name), " has elements of an unknown type; expected f32, f64, bf16, i32, s8 or u8");

  std::array<hsize_t, H5S_MAX_RANK> dims{};
  const int rank = H5Sget_simple_extent_dims(space, dims.data(), nullptr);
  CHECK(rank >= 0 && rank <= Shape::max_rank && H5Sget_simple_extent_type(space) != H5S_NULL, where(name), " has ",
        rank, " dimensions; expected at most ", Shape::max_rank);
  uint64_t bytes = size_of(info.type);
  std::array<int64_t, Shape::max_rank> shape{};
  for (int i = 0; i < rank; ++i) {
    CHECK(dims[i] <= handle_->file_size / bytes, where(name), " claims more bytes than the file's ", handle_->file_size,
          "; the file is damaged or cut off");
    shape[i] = static_cast<int64_t>(dims[i]);
    bytes *= std::max<hsize_t>(dims[i], 1);
  }
  info.shape = Shape(std::span<const int64_t>(shape.data(), static_cast<size_t>(rank)));

  handle_->check_stored(dataset, where(name), static_cast<uint64_t>(info.shape.size()), size_of(info.type));
  return info;
}

Tensor Hdf5Group::read(const std::string& name) const {
  const Info found = info(name);
  Tensor values(found.shape, found.type);
  read_dataset(handle_->open_dataset(name), found.type, values.raw(), where(name), *handle_->access);
  return values;
}

void Hdf5Group::read_into(const std::string& name, const Tensor& to) const {
  const Info found = info(name);
  CHECK(found.type == to.dtype() && found.shape == to.shape(), where(name), " is ", name_of(found.type), found.shape,
        "; expected ", name_of(to.dtype()), to.shape());
  read_dataset(handle_->open_dataset(name), found.type, to.raw(), where(name), *handle_->access);
}

void Hdf5Group::create(const std::string& name, DType type, const Shape& shape) const {
  handle_->check_new(name);
  create_dataset(handle_->id, name, type, space_of(shape), where(name));
  if (type == DType::bf16) set_attribute(name, type_key, name_of(DType::bf16));
}

void Hdf5Group::write_rows(const std::string& name, int64_t first, const Tensor& rows) const {
  const Hdf5Id dataset = handle_->open_dataset(name);
  const Hdf5Id chosen = choose_rows(dataset, first, rows, where(name)), memory = space_of(rows.shape());
  if (H5Dwrite(dataset, stored_type(rows.dtype()), memory, chosen, H5P_DEFAULT, rows.raw()) < 0)
    throw Failure(where(name) + " cannot be written");
}

void Hdf5Group::read_rows(const std::string& name, int64_t first, const Tensor& to) const {
  const Hdf5Id dataset = handle_->open_dataset(name);
  const Hdf5Id chosen = choose_rows(dataset, first, to, where(name)), memory = space_of(to.shape());
  CHECK(H5Dread(dataset, stored_type(to.dtype()), memory, chosen, H5P_DEFAULT, to.raw()) >= 0, where(name),
        " cannot be read", handle_->access->cause("; the file is damaged or cut off"));
}

}  // namespace espalier
