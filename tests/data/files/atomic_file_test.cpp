// SPDX-License-Identifier: Apache-2.0
#include "data/files/atomic_file.h"

#include <sys/stat.h>

#include <set>

#include "core/check.h"
#include "data/files/file_lock.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

TEST(AtomicFileTest, IsThereWholeOrNotAtAll) {
  const TemporaryFolder folder;
  const fs::path target = folder / "a.txt";
  write_bytes(target, "old");
  {
    AtomicFile file(target);
    file.write("ne");
    EXPECT_EQ(temporary_of(file.temporary().filename().string()), "a.txt");
    EXPECT_EQ(read_bytes(file.temporary()), "ne");
    EXPECT_EQ(read_bytes(target), "old");
    file.write("w");
    file.commit();
  }
  EXPECT_EQ(read_bytes(target), "new");
  { AtomicFile(target).write("given up"); }
  EXPECT_EQ(read_bytes(target), "new");
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"a.txt"});
  write_file("relative.txt", "in the working folder");
  EXPECT_EQ(read_bytes("relative.txt"), "in the working folder");
  fs::remove("relative.txt");
}

// What killed processes left is removed; what is being written and what others own stays.
TEST(AtomicFileTest, LeavesOtherFilesAlone) {
  const TemporaryFolder folder;
  const std::string left = "a.txt.0123456789abcdef.part";
  write_bytes(folder / left, "what a killed process left");
  const std::set<std::string> others = {"a.txt.part", "a.txt.0123456789abcdeg.part", "b.txt.0123456789abcdef.part",
                                        "a.txt.123456789abcdef.part", "a.txt"};
  for (const std::string& name : others) write_bytes(folder / name, "a user's");
  fs::create_symlink("a.txt", folder / "a.txt.1111111111111111.part");
  fs::create_hard_link(folder / "a.txt", folder / "second name");
  {
    AtomicFile first(folder / "a.txt");
    const AtomicFile second(folder / "a.txt");
    EXPECT_NE(first.temporary(), second.temporary());
    EXPECT_TRUE(fs::exists(first.temporary())) << "it is in use";
    first.write("new");
    first.commit();
  }
  EXPECT_FALSE(fs::exists(folder / left));
  EXPECT_TRUE(fs::is_symlink(folder / "a.txt.1111111111111111.part"));
  for (const std::string& name : others) EXPECT_EQ(read_bytes(folder / name), name == "a.txt" ? "new" : "a user's");
  EXPECT_EQ(read_bytes(folder / "second name"), "a user's") << "only the name is given another file";
}

TEST(AtomicFileTest, FollowsLinksThatLeadToAFile) {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::string& name) {
    return error_of<Error>([&] { write_file(folder / name, "x"); });
  };
  write_bytes(folder / "a.txt", "old");
  fs::create_symlink("a.txt", folder / "link");
  write_file(folder / "link", "through the link");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(read_bytes(folder / "a.txt"), "through the link");
  fs::create_symlink("nothing", folder / "dangling");
  expect_in(refusal("dangling"), "dangling: is a symbolic link to nothing, which is not there");
  EXPECT_TRUE(fs::is_symlink(folder / "dangling"));
  EXPECT_FALSE(fs::exists(folder / "nothing"));
  fs::create_symlink("loop", folder / "loop");
  expect_in(refusal("loop"), "loop: is a symbolic link to loop");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0666), 0);
  expect_in(refusal("pipe"), "pipe: is a device or pipe");
  fs::create_symlink("/dev/null", folder / "null");
  expect_in(refusal("null"), "null: is a device or pipe");
  expect_in(refusal("none/a.txt"), "there is no folder");
  expect_in(error_of<Error>([&] { write_file("", "x"); }), "the name of a file to write is expected");
  expect_in(error_of<Error>([&] { write_file(folder.path(), "x"); }), "is a directory");
}

TEST(FileLockTest, IsForOneAtATime) {
  const TemporaryFolder folder;
  const fs::path target = folder / "m.h5", lock = folder / "m.h5.lock";
  const auto refusal = [&](const std::string& name) { return error_of<Error>([&] { FileLock{folder / name}; }); };
  write_bytes(target, "old");
  fs::create_symlink("m.h5", folder / "link");
  {
    FileLock first(target);
    EXPECT_FALSE(first.left_behind());
    expect_in(refusal("m.h5"), "m.h5: another process is writing it now");
    expect_in(refusal("link"), "link: another process is writing it now");
    const FileLock moved = std::move(first);
    expect_in(refusal("m.h5"), "another process is writing it now");
  }
  EXPECT_EQ(refusal("link"), "no error");
  EXPECT_EQ(names_in(folder.path()), (std::set<std::string>{"m.h5", "link"}));

  write_bytes(lock, "");  // of a process that was killed
  EXPECT_TRUE(FileLock(target).left_behind());
  EXPECT_FALSE(fs::exists(lock));
  write_bytes(lock, "a user's");
  expect_in(refusal("m.h5"), "m.h5.lock is not empty and no lock of ours");
  EXPECT_EQ(read_bytes(lock), "a user's");
  fs::remove(lock);
  fs::create_symlink("m.h5", lock);
  expect_in(refusal("m.h5"), "m.h5.lock is a symbolic link");
  EXPECT_EQ(read_bytes(target), "old");
}

}  // namespace
}  // namespace espalier
