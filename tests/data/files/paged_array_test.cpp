// SPDX-License-Identifier: Apache-2.0
#include "data/files/paged_array.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "core/check.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

TEST(PagedArray, IsTheSameInMemoryAndInAFile) {
  PagedArray<int32_t> memory, file;
  file.set_limit(100);
  std::vector<int32_t> all(1'000'000);
  std::iota(all.begin(), all.end(), 0);
  for (size_t i = 0; i < all.size(); i += 12'345) {
    const auto part = std::span<const int32_t>(all).subspan(i, std::min<size_t>(12'345, all.size() - i));
    memory.append(part);
    file.append(part);
  }
  EXPECT_FALSE(memory.in_file());
  EXPECT_TRUE(file.in_file());
  EXPECT_EQ(memory, file);
  EXPECT_EQ(memory, all);
  EXPECT_EQ(file[777'777], 777'777);
  PagedArray<int32_t> copy = file;
  EXPECT_TRUE(copy.in_file());
  copy.push_back(5);
  EXPECT_EQ(copy.back(), 5);
  EXPECT_EQ(file.size(), all.size()) << "a copy has a file of its own";
  const PagedArray<int32_t> moved = std::move(copy);
  EXPECT_EQ(moved.size(), all.size() + 1);
}

TEST(PagedArray, GrowsWithAValue) {
  PagedArray<int64_t> array = {0};
  array.set_limit(8);
  array.grow(3, -1);
  array.grow(2, 7);
  EXPECT_EQ(array, (std::vector<int64_t>{0, -1, -1}));
  array.clear();
  EXPECT_TRUE(array.empty());
}

TEST(PagedArray, NamesTheFolderThatCannotBeWritten) {
  const TemporaryFolder folder;
  const std::string before = std::getenv("TMPDIR") != nullptr ? std::getenv("TMPDIR") : "";
  ::setenv("TMPDIR", (folder / "none").c_str(), 1);
  PagedArray<int32_t> array;
  array.set_limit(0);
  expect_in(error_of<Error>([&] { array.push_back(1); }), "none: a temporary file cannot be made: No such file");
  before.empty() ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", before.c_str(), 1);
}

}  // namespace
}  // namespace espalier
