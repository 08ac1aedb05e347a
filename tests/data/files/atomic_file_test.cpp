// SPDX-License-Identifier: Apache-2.0
#include "data/files/atomic_file.h"

#include "core/check.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

TEST(AtomicFileTest, IsThereWholeOrNotAtAll) {
  const TemporaryFolder folder;
  const fs::path target = folder / "a.txt", part = folder / "a.txt.part";
  write_bytes(target, "old");
  write_bytes(part, "what a killed run left, longer than the new text");
  {
    AtomicFile file(target);
    file.write("ne");
    EXPECT_EQ(file.temporary(), part);
    EXPECT_EQ(read_bytes(part), "ne");
    EXPECT_EQ(read_bytes(target), "old");
    expect_in(error_of<Error>([&] { AtomicFile second(target); }), "a.txt: another process is writing it now");
    file.write("w");
    file.commit();
  }
  EXPECT_EQ(read_bytes(target), "new");
  EXPECT_FALSE(fs::exists(part));
  { AtomicFile(target).write("given up"); }
  EXPECT_EQ(read_bytes(target), "new");
  EXPECT_FALSE(fs::exists(part));

  fs::create_symlink("a.txt", folder / "link");
  write_file(folder / "link", "through the link");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(read_bytes(target), "through the link");
  write_file("relative.txt", "in the working folder");
  EXPECT_EQ(read_bytes("relative.txt"), "in the working folder");
  fs::remove("relative.txt");
}

}  // namespace
}  // namespace espalier
