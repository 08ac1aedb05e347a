// SPDX-License-Identifier: Apache-2.0
#include "core/hdf5/driver.h"

#include <fcntl.h>
#include <unistd.h>
#if __has_include(<H5FDdevelop.h>)
#include <H5FDdevelop.h>  // HDF5 1.14 keeps the driver interface here
#endif

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <span>
#include <vector>

#include "core/checksum.h"

namespace espalier {
namespace {

struct Properties {
  Hdf5Access* access;
};

struct File {
  H5FD_t library;  // the library's own part, first
  Hdf5Access* access;
  int descriptor;                 // of a file that is written; -1 for one that is read
  haddr_t end, end_of_addresses;  // of the file as it is, without checksums, and as the library sees it
  BlockHasher hasher;
};

File* file_of(H5FD_t* file) { return reinterpret_cast<File*>(file); }
const File* file_of(const H5FD_t* file) { return reinterpret_cast<const File*>(file); }

H5FD_t* open_file(const char* name, unsigned flags, hid_t access, haddr_t /*max_address*/) {
  const auto* properties = static_cast<const Properties*>(H5Pget_driver_info(access));
  if (properties == nullptr) return nullptr;
  Hdf5Access& shared = *properties->access;
  if ((flags & H5F_ACC_RDWR) == 0) {
    const int64_t end = shared.checksums ? shared.checksums->covered() : shared.input->size();
    return &(new File{{}, &shared, -1, static_cast<haddr_t>(end), 0, {}})->library;
  }
  const int descriptor = ::open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  return descriptor < 0 ? nullptr : &(new File{{}, &shared, descriptor, 0, 0, {}})->library;
}

// Writes all of it, unless an error came before.
void write_fully(const File& f, haddr_t address, std::span<const std::byte> bytes) {
  while (!bytes.empty() && f.access->error == 0) {
    const ssize_t n = ::pwrite(f.descriptor, bytes.data(), bytes.size(), static_cast<off_t>(address));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      f.access->error = n < 0 ? errno : ENOSPC;
    else
      address += n, bytes = bytes.subspan(static_cast<size_t>(n));
  }
}

herr_t close_file(H5FD_t* file) {
  const std::unique_ptr<File> f(file_of(file));
  if (f->descriptor < 0) return 0;
  if (f->access->error == 0) {
    std::vector<std::byte> checksums;
    if (f->hasher.finish(f->descriptor, static_cast<int64_t>(f->end), checksums))
      write_fully(*f, f->end, checksums);
    else
      f->access->error = errno;
  }
  ::close(f->descriptor);
  return 0;
}

herr_t query(const H5FD_t* /*file*/, unsigned long* features) {
  *features = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
              H5FD_FEAT_AGGREGATE_SMALLDATA;
  return 0;
}

haddr_t end_of_addresses(const H5FD_t* file, H5FD_mem_t /*type*/) { return file_of(file)->end_of_addresses; }

herr_t set_end_of_addresses(H5FD_t* file, H5FD_mem_t /*type*/, haddr_t address) {
  file_of(file)->end_of_addresses = address;
  return 0;
}

haddr_t end_of_file(const H5FD_t* file, H5FD_mem_t /*type*/) { return file_of(file)->end; }

// Zeros are behind the end: allocated, but not written yet.
herr_t read(H5FD_t* file, H5FD_mem_t /*type*/, hid_t /*transfer*/, haddr_t address, size_t bytes, void* to) {
  const File& f = *file_of(file);
  const size_t there = address < f.end ? std::min<size_t>(bytes, f.end - address) : 0;
  const std::span<std::byte> wanted(static_cast<std::byte*>(to), there);
  std::memset(static_cast<char*>(to) + there, 0, bytes - there);
  if (f.descriptor >= 0) return read_fully(f.descriptor, static_cast<int64_t>(address), wanted) ? 0 : -1;
  if (!f.access->checksums)
    return read_fully(f.access->input->descriptor(), static_cast<int64_t>(address), wanted) ? 0 : -1;
  try {
    const int64_t damaged = f.access->checksums->fill(*f.access->input, static_cast<int64_t>(address), wanted);
    if (damaged >= 0 && f.access->damaged < 0) f.access->damaged = damaged;
    return damaged < 0 ? 0 : -1;
  } catch (...) {  // no memory, no thread; the library is C, nothing may fly through it
    f.access->error = ENOMEM;
    return -1;
  }
}

// In pieces, so that the checksums find the bytes in the cache and leave them there for the system.
herr_t write(H5FD_t* file, H5FD_mem_t /*type*/, hid_t /*transfer*/, haddr_t address, size_t bytes, const void* from) {
  File& f = *file_of(file);
  f.end = std::max(f.end, address + bytes);
  std::span<const std::byte> rest(static_cast<const std::byte*>(from), bytes);
  while (!rest.empty() && f.access->error == 0) {
    const auto part = rest.first(std::min<size_t>(rest.size(), checksum_piece - address % checksum_piece));
    f.hasher.note(static_cast<int64_t>(address), part);
    write_fully(f, address, part);
    address += part.size(), rest = rest.subspan(part.size());
  }
  return 0;
}

herr_t truncate(H5FD_t* file, hid_t /*transfer*/, hbool_t /*closing*/) {
  File& f = *file_of(file);
  if (f.end == f.end_of_addresses || f.descriptor < 0) return 0;
  if (f.access->error == 0 && ::ftruncate(f.descriptor, static_cast<off_t>(f.end_of_addresses)) != 0)
    f.access->error = errno;
  f.end = f.end_of_addresses;
  return 0;
}

hid_t register_driver() {
  H5FD_class_t driver{};
#ifdef H5FD_CLASS_VERSION
  driver.version = H5FD_CLASS_VERSION;
  driver.value = static_cast<H5FD_class_value_t>(600);  // from the range for drivers outside the library
#endif
  driver.name = "espalier";
  driver.maxaddr = static_cast<haddr_t>(-1) >> 1;
  driver.fc_degree = H5F_CLOSE_STRONG;
  driver.fapl_size = sizeof(Properties);
  driver.open = open_file;
  driver.close = close_file;
  driver.query = query;
  driver.get_eoa = end_of_addresses;
  driver.set_eoa = set_end_of_addresses;
  driver.get_eof = end_of_file;
  driver.read = read;
  driver.write = write;
  driver.truncate = truncate;
  const H5FD_mem_t map[] = H5FD_FLMAP_DICHOTOMY;
  std::copy(std::begin(map), std::end(map), driver.fl_map);
  return H5FDregister(&driver);
}

}  // namespace

std::string Hdf5Access::cause(const char* otherwise) const {
  if (error != 0) return std::string(": ") + std::strerror(error);
  if (damaged < 0) return otherwise;
  const int64_t first = damaged * BlockChecksums::block;
  return "; the file is damaged: its bytes " + std::to_string(first) + " … " +
         std::to_string(std::min(first + BlockChecksums::block, checksums->covered()) - 1) +
         " do not fit their checksum; take another copy of it";
}

void set_driver(hid_t access_properties, Hdf5Access* access) {
  static const hid_t driver = register_driver();
  const Properties properties{access};
  H5Pset_driver(access_properties, driver, &properties);
}

}  // namespace espalier
