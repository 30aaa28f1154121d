// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/cores.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace backplane {
namespace {

namespace fs = std::filesystem;

struct File {
  const char* path;
  const char* text;
};

struct Case {
  const char* name;
  std::vector<File> files;
  std::uint32_t expected;  // 0: as many as the affinity allows
};

std::uint32_t affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof(set), &set);
  return static_cast<std::uint32_t>(CPU_COUNT(&set));
}

class Cores : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "cores.XXXXXX";
    root_ = mkdtemp(pattern.data());
    for (const File& file : GetParam().files) {
      fs::create_directories((root_ / file.path).parent_path());
      std::ofstream(root_ / file.path) << file.text;
    }
  }
  void TearDown() override { fs::remove_all(root_); }
  fs::path root_;
};

TEST_P(Cores, AreTheLesserOfAffinityAndQuota) {
  const std::uint32_t limit = GetParam().expected == 0 ? affinity() : GetParam().expected;
  EXPECT_EQ(available_cores(root_.string()), std::min(limit, affinity()));
}

constexpr char kGroup2[] = "0::/a/b\n";
constexpr char kGroup1[] = "4:memory:/a\n3:cpu,cpuacct:/a\n";

INSTANTIATE_TEST_SUITE_P(
    ControlGroups, Cores,
    ::testing::Values(
        Case{"nothing", {}, 0},
        Case{"v2_unlimited",
             {{"proc/self/cgroup", kGroup2}, {"sys/fs/cgroup/a/b/cpu.max", "max 100000"}},
             0},
        Case{"v2_half",
             {{"proc/self/cgroup", kGroup2}, {"sys/fs/cgroup/a/b/cpu.max", "50000 100000"}},
             1},
        Case{"v2_parent",
             {{"proc/self/cgroup", kGroup2},
              {"sys/fs/cgroup/a/cpu.max", "100000 100000"},
              {"sys/fs/cgroup/a/b/cpu.max", "max 100000"}},
             1},
        Case{"v2_rounds_up",
             {{"proc/self/cgroup", kGroup2}, {"sys/fs/cgroup/a/b/cpu.max", "100001 100000"}},
             2},
        Case{"v2_root_of_a_container",
             {{"proc/self/cgroup", "0::/\n"}, {"sys/fs/cgroup/cpu.max", "100000 100000"}},
             1},
        Case{"v1",
             {{"proc/self/cgroup", kGroup1},
              {"sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "100000"},
              {"sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000"}},
             1},
        Case{"v1_unlimited",
             {{"proc/self/cgroup", kGroup1},
              {"sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "-1"},
              {"sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000"}},
             0},
        Case{"garbage",
             {{"proc/self/cgroup", "x\n0:\n0::nowhere\n"}, {"sys/fs/cgroup/cpu.max", "? ?"}},
             0}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST(AvailableCores, IsAtLeastOneHere) {
  EXPECT_GE(available_cores(), 1u);
}

}  // namespace
}  // namespace backplane
