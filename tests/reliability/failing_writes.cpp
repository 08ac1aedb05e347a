// SPDX-License-Identifier: Apache-2.0
// A library to preload (LD_PRELOAD) into a program whose writes to regular files are to fail. It counts the calls that
// change a file or a folder: write, writev, pwrite, ftruncate, fsync, rename, mkdir, and open where it creates a file.
// Standard input, output and error are left alone. The environment chooses:
//   ESPALIER_FAIL_CALLS   which calls count, such as "write,pwrite,rename"; all of them where it is not set
//   ESPALIER_FAIL_AT      the number of the call that fails, from 1
//   ESPALIER_FAIL_BYTES   or: how many bytes are written in all; the call that would pass them writes the rest, and the
//                         next one fails
//   ESPALIER_FAIL_WITH    ENOSPC (the default), EIO, EDQUOT or EFBIG; or SIGKILL, which ends the program there
//   ESPALIER_FAIL_ONCE    if set, later calls do not fail; else all of them do, as on a disk that stays full
//   ESPALIER_FAIL_LOG     a file to which "CALL PATH" is appended for every call that counts
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>

namespace {

// The function of this name that the program would have called.
template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

const char* setting(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : otherwise;
}

int64_t number(const char* name) { return std::strtoll(setting(name, "-1"), nullptr, 10); }

struct Plan {
  std::string_view calls = setting("ESPALIER_FAIL_CALLS", ""), with = setting("ESPALIER_FAIL_WITH", "ENOSPC");
  int64_t at = number("ESPALIER_FAIL_AT"), bytes = number("ESPALIER_FAIL_BYTES");
  bool once = std::getenv("ESPALIER_FAIL_ONCE") != nullptr;
  const char* log = std::getenv("ESPALIER_FAIL_LOG");
  int64_t calls_done = 0, bytes_done = 0;
  std::mutex mutex;

  bool counts(std::string_view call) const {
    return calls.empty() || ("," + std::string(calls) + ",").find("," + std::string(call) + ",") != std::string::npos;
  }
};

Plan& plan() {
  static auto* const plan = new Plan;  // never destroyed: destructors of others may still write
  return *plan;
}

void log_call(const char* file, const char* call, const char* path) {
  const int log = next<int(const char*, int, ...)>("open")(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  const std::string line = std::string(call) + ' ' + path + '\n';
  if (next<decltype(::write)>("write")(log, line.data(), line.size()) < 0) std::abort();
  ::close(log);
}

int fail() {
  const std::string_view with = plan().with;
  if (with == "SIGKILL") std::raise(SIGKILL);
  errno = with == "EIO" ? EIO : with == "EDQUOT" ? EDQUOT : with == "EFBIG" ? EFBIG : ENOSPC;
  return -1;
}

// Counts a call that writes so many bytes. Returns how many of them may be written; -1: the call fails, errno is set.
int64_t allowed(const char* call, const char* path, int64_t bytes = 0) {
  Plan& p = plan();
  const std::lock_guard lock(p.mutex);
  if (!p.counts(call)) return bytes;
  if (p.log != nullptr) log_call(p.log, call, path);
  ++p.calls_done;
  if (p.once ? p.calls_done == p.at : p.at > 0 && p.calls_done >= p.at) return fail();
  if (p.bytes < 0) return bytes;
  const int64_t n = std::min(bytes, p.bytes - p.bytes_done);
  if (n == 0 && bytes > 0) {
    if (p.once) p.bytes = -1;
    return fail();
  }
  p.bytes_done += n;
  return n;
}

// The same for an open file; those that are not regular files do not count.
int64_t allowed(const char* call, int file, int64_t bytes = 0) {
  struct stat status {};
  if (file <= STDERR_FILENO || ::fstat(file, &status) != 0 || !(S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)))
    return bytes;
  std::array<char, 4096> path{};
  if (::readlink(("/proc/self/fd/" + std::to_string(file)).c_str(), path.data(), path.size() - 1) < 0) path[0] = '?';
  return allowed(call, path.data(), bytes);
}

bool creates(const char* path, int flags) {
  struct stat status {};
  return (flags & O_CREAT) != 0 && (::stat(path, &status) != 0 || S_ISREG(status.st_mode));
}

int open_as(const char* name, const char* path, int flags, mode_t mode) {
  if (creates(path, flags) && allowed("open", path) < 0) return -1;
  return next<int(const char*, int, ...)>(name)(path, flags, mode);
}

int truncate_as(const char* name, int file, off_t size) {
  if (allowed("ftruncate", file) < 0) return -1;
  return next<decltype(::ftruncate)>(name)(file, size);
}

ssize_t pwrite_as(const char* name, int file, const void* bytes, size_t size, off_t at) {
  const int64_t n = allowed("pwrite", file, static_cast<int64_t>(size));
  return n < 0 ? -1 : next<decltype(::pwrite)>(name)(file, bytes, static_cast<size_t>(n), at);
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

ssize_t write(int file, const void* bytes, size_t size) {
  const int64_t n = allowed("write", file, static_cast<int64_t>(size));
  return n < 0 ? -1 : next<decltype(::write)>("write")(file, bytes, static_cast<size_t>(n));
}

ssize_t writev(int file, const iovec* parts, int count) {
  int64_t size = 0;
  for (int i = 0; i < count; ++i) size += static_cast<int64_t>(parts[i].iov_len);
  const int64_t n = allowed("writev", file, size);
  if (n < 0 || n == size) return n < 0 ? -1 : next<decltype(::writev)>("writev")(file, parts, count);
  int whole = 0;  // a short write ends between two parts
  for (int64_t rest = n; whole < count && rest >= static_cast<int64_t>(parts[whole].iov_len); ++whole)
    rest -= static_cast<int64_t>(parts[whole].iov_len);
  return whole == 0 ? fail() : next<decltype(::writev)>("writev")(file, parts, whole);
}

ssize_t pwrite(int file, const void* bytes, size_t size, off_t at) {
  return pwrite_as("pwrite", file, bytes, size, at);
}
ssize_t pwrite64(int file, const void* bytes, size_t size, off_t at) {
  return pwrite_as("pwrite64", file, bytes, size, at);
}

int ftruncate(int file, off_t size) noexcept { return truncate_as("ftruncate", file, size); }
int ftruncate64(int file, off_t size) noexcept { return truncate_as("ftruncate64", file, size); }

int fsync(int file) { return allowed("fsync", file) < 0 ? -1 : next<decltype(::fsync)>("fsync")(file); }
int fdatasync(int file) { return allowed("fsync", file) < 0 ? -1 : next<decltype(::fsync)>("fdatasync")(file); }

int rename(const char* from, const char* to) noexcept {
  return allowed("rename", to) < 0 ? -1 : next<decltype(::rename)>("rename")(from, to);
}

int mkdir(const char* path, mode_t mode) noexcept {
  struct stat status {};
  const bool there = ::stat(path, &status) == 0;
  return !there && allowed("mkdir", path) < 0 ? -1 : next<decltype(::mkdir)>("mkdir")(path, mode);
}

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const auto mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open_as("open", path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const auto mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open_as("open64", path, flags, mode);
}

}  // extern "C"
#pragma GCC visibility pop
