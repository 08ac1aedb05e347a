// SPDX-License-Identifier: Apache-2.0
#include "data/files/output_path.h"

#include <sys/stat.h>

#include <system_error>

#include "core/check.h"

namespace espalier {

namespace fs = std::filesystem;

fs::path folder_of(const fs::path& file) { return file.has_parent_path() ? file.parent_path() : fs::path("."); }

void refuse_dangling_link(const fs::path& name) {
  std::error_code ignored;
  if (!fs::is_symlink(name, ignored) || fs::exists(name, ignored)) return;
  fail(name.string(), ": is a symbolic link to ", fs::read_symlink(name, ignored).string(),
       ", which is not there; expected a name to write: remove the link, or name the file itself");
}

fs::path output_path(const fs::path& name) {
  std::error_code ignored;
  CHECK(name.has_filename(), "'", name.string(), "': the name of a file to write is expected");
  refuse_dangling_link(name);
  fs::path path = fs::is_symlink(name, ignored) ? fs::canonical(name) : name;
  CHECK(!fs::is_directory(path, ignored), name.string(), ": is a directory; expected a file to write");
  CHECK(!fs::exists(path, ignored) || fs::is_regular_file(path, ignored), name.string(),
        ": is a device or pipe, which cannot be replaced by a file; expected the name of a file to write");
  CHECK(fs::is_directory(folder_of(path), ignored), name.string(), ": cannot be written: there is no folder ",
        folder_of(path).string());
  return path;
}

bool is_named(int file, const fs::path& path) {
  struct stat opened {
  }, named{};
  return ::fstat(file, &opened) == 0 && ::lstat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

}  // namespace espalier
