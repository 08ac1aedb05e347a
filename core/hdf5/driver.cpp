// SPDX-License-Identifier: Apache-2.0
#include "core/hdf5/driver.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#if __has_include(<H5FDdevelop.h>)
#include <H5FDdevelop.h>  // HDF5 1.14 keeps the driver interface here
#endif

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

namespace espalier {
namespace {

struct Properties {
  int* error;
};

struct File {
  H5FD_t library;  // the library's own part, first
  int descriptor;
  int* error;
  haddr_t end, end_of_addresses;  // of the file as it is, and as the library sees it
};

File* file_of(H5FD_t* file) { return reinterpret_cast<File*>(file); }
const File* file_of(const H5FD_t* file) { return reinterpret_cast<const File*>(file); }

H5FD_t* open_file(const char* name, unsigned flags, hid_t access, haddr_t /*max_address*/) {
  const auto* properties = static_cast<const Properties*>(H5Pget_driver_info(access));
  const int mode = (flags & H5F_ACC_RDWR) != 0 ? O_RDWR : O_RDONLY;
  const int create = ((flags & H5F_ACC_CREAT) != 0 ? O_CREAT : 0) | ((flags & H5F_ACC_TRUNC) != 0 ? O_TRUNC : 0);
  const int descriptor = ::open(name, mode | create | O_CLOEXEC, 0666);
  struct stat status {};
  if (descriptor < 0) return nullptr;
  if (::fstat(descriptor, &status) != 0 || properties == nullptr) {
    ::close(descriptor);
    return nullptr;
  }
  auto* file = new File{{}, descriptor, properties->error, static_cast<haddr_t>(status.st_size), 0};
  return &file->library;
}

herr_t close_file(H5FD_t* file) {
  ::close(file_of(file)->descriptor);
  delete file_of(file);
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

herr_t read(H5FD_t* file, H5FD_mem_t /*type*/, hid_t /*transfer*/, haddr_t address, size_t bytes, void* to) {
  for (auto* at = static_cast<char*>(to); bytes > 0;) {
    const ssize_t n = ::pread(file_of(file)->descriptor, at, bytes, static_cast<off_t>(address));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) {  // allocated, but not written yet
      std::memset(at, 0, bytes);
      return 0;
    }
    at += n, address += n, bytes -= n;
  }
  return 0;
}

herr_t write(H5FD_t* file, H5FD_mem_t /*type*/, hid_t /*transfer*/, haddr_t address, size_t bytes, const void* from) {
  File& f = *file_of(file);
  f.end = std::max(f.end, address + bytes);
  for (const auto* at = static_cast<const char*>(from); bytes > 0 && *f.error == 0;) {
    const ssize_t n = ::pwrite(f.descriptor, at, bytes, static_cast<off_t>(address));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      *f.error = n < 0 ? errno : ENOSPC;
    else
      at += n, address += n, bytes -= n;
  }
  return 0;
}

herr_t truncate(H5FD_t* file, hid_t /*transfer*/, hbool_t /*closing*/) {
  File& f = *file_of(file);
  if (f.end == f.end_of_addresses) return 0;
  if (*f.error == 0 && ::ftruncate(f.descriptor, static_cast<off_t>(f.end_of_addresses)) != 0) *f.error = errno;
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

void set_driver(hid_t access_properties, int* error) {
  static const hid_t driver = register_driver();
  const Properties properties{error};
  H5Pset_driver(access_properties, driver, &properties);
}

}  // namespace espalier
