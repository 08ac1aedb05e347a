// SPDX-License-Identifier: Apache-2.0
#include "core/input_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>

#include "core/check.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

std::string refusal(const std::filesystem::path& path) {
  return error_of<Error>([&] { const InputFile file(path); });
}

TEST(InputFile, ReadsWholeFilesAndParts) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.txt";
  write_bytes(path, "0123456789");
  EXPECT_EQ(read_file(path, 10), "0123456789");
  EXPECT_THROW(read_file(path, 9), Error);
  const InputFile file(path);
  EXPECT_EQ(file.size(), 10);
  std::array<std::byte, 3> part{};
  file.read(4, part);
  EXPECT_EQ(static_cast<char>(part[0]), '4');
  EXPECT_THROW(file.read(8, part), Error);
}

TEST(InputFile, RefusesWhatIsNoFileAndNeverWaits) {
  const TemporaryFolder folder;
  const auto pipe = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  expect_in(refusal(pipe), "is a pipe");
  expect_in(refusal("/dev/zero"), "is a device");
  expect_in(refusal(folder.path()), "is a directory");
  expect_in(refusal(folder.path() / "none"), "none: cannot be opened");
}

}  // namespace
}  // namespace espalier
