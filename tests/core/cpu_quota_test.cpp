// SPDX-License-Identifier: Apache-2.0
#include "core/cpu_quota.h"

#include <limits>

#include "tests/temporary.h"

namespace espalier {
namespace {

class CpuQuota : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((root_ / name).parent_path());
    write_bytes(root_ / name, text);
  }
  int quota() const { return cpu_quota(root_.path().string()); }

  TemporaryFolder root_;
  static constexpr int none = std::numeric_limits<int>::max();
};

TEST_F(CpuQuota, IsRoundedUp) {
  EXPECT_EQ(quota(), none) << "no control groups";
  write("proc/self/cgroup", "0::/\n");
  EXPECT_EQ(quota(), none) << "no file";
  for (const auto& [text, cores] :
       {std::pair{"max 100000\n", none}, std::pair{"150000 100000\n", 2}, std::pair{"200000 100000\n", 2},
        std::pair{"1000 100000\n", 1}, std::pair{"", none}, std::pair{"x y", none}, std::pair{"-1 100000", none},
        std::pair{"100000 0", none}, std::pair{"1e300 1", 1000000}}) {
    write("sys/fs/cgroup/cpu.max", text);
    EXPECT_EQ(quota(), cores) << text;
  }
}

TEST_F(CpuQuota, TheLeastOfAllGroupsAbove) {
  write("proc/self/cgroup", "0::/system.slice/train.service\n");
  write("sys/fs/cgroup/system.slice/cpu.max", "800000 100000");
  EXPECT_EQ(quota(), 8);
  write("sys/fs/cgroup/system.slice/train.service/cpu.max", "300000 100000");
  EXPECT_EQ(quota(), 3);
  write("sys/fs/cgroup/cpu.max", "100000 100000");
  EXPECT_EQ(quota(), 1);
  write("proc/self/cgroup", "0::/elsewhere\n");  // a container whose path is the host's
  EXPECT_EQ(quota(), 1);
}

TEST_F(CpuQuota, VersionOne) {
  write("proc/self/cgroup", "5:memory:/docker/a\n4:cpu,cpuacct:/docker/a\n3:cpuset:/\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), none);
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "250000\n");
  EXPECT_EQ(quota(), 3);
}

TEST_F(CpuQuota, ThisProcess) { EXPECT_GE(cpu_quota(), 1); }

}  // namespace
}  // namespace espalier
