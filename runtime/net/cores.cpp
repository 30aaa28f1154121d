// SPDX-License-Identifier: Apache-2.0
// Sources: proc(5), cgroups(7), kernel documentation admin-guide/cgroup-v2 ("cpu.max") and
// scheduler/sched-bwc ("cpu.cfs_quota_us").
#include "runtime/net/cores.hpp"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>

namespace backplane {

namespace {

constexpr std::uint32_t kNoQuota = UINT32_MAX;

std::uint32_t affinity_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0)
    return static_cast<std::uint32_t>(CPU_COUNT(&set));
  return std::thread::hardware_concurrency();
}

std::optional<std::int64_t> number_in(const std::string& path) {
  std::ifstream file(path);
  std::int64_t value = 0;
  if (file >> value) return value;
  return std::nullopt;
}

std::uint32_t cores_of(std::int64_t quota_us, std::int64_t period_us) {
  if (quota_us <= 0 || period_us <= 0) return kNoQuota;
  const std::int64_t cores = quota_us / period_us + (quota_us % period_us != 0 ? 1 : 0);
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(cores, 1, kNoQuota));
}

std::uint32_t quota_v2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  std::string quota;
  std::int64_t period_us = 0;
  if (!(file >> quota >> period_us) || quota == "max") return kNoQuota;
  std::int64_t quota_us = 0;
  std::istringstream(quota) >> quota_us;
  return cores_of(quota_us, period_us);
}

std::uint32_t quota_v1(const std::string& folder) {
  const auto quota_us = number_in(folder + "/cpu.cfs_quota_us");
  const auto period_us = number_in(folder + "/cpu.cfs_period_us");
  if (!quota_us || !period_us) return kNoQuota;
  return cores_of(*quota_us, *period_us);
}

template <class Quota>
std::uint32_t least_up_to_root(const std::string& mount, std::string group, Quota quota) {
  std::uint32_t least = quota(mount);
  while (group.size() > 1) {
    least = std::min(least, quota(mount + group));
    group.resize(group.find_last_of('/'));
  }
  return least;
}

bool has_cpu_controller(const std::string& controllers) {
  std::istringstream list(controllers);
  for (std::string name; std::getline(list, name, ',');) {
    if (name == "cpu") return true;
  }
  return false;
}

// A line is "hierarchy:controllers:/group"; version 2 has no controllers.
std::uint32_t quota_of_line(const std::string& line, const std::string& mount) {
  const std::size_t first = line.find(':');
  const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
  if (second == std::string::npos || second + 1 >= line.size() || line[second + 1] != '/') {
    return kNoQuota;
  }
  const std::string controllers = line.substr(first + 1, second - first - 1);
  const std::string group = line.substr(second + 1);
  if (controllers.empty()) return least_up_to_root(mount, group, quota_v2);
  if (!has_cpu_controller(controllers)) return kNoQuota;
  return std::min(least_up_to_root(mount + "/cpu", group, quota_v1),
                  least_up_to_root(mount + "/" + controllers, group, quota_v1));
}

}  // namespace

std::uint32_t available_cores(const std::string& root) {
  std::uint32_t cores = affinity_cores();
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    cores = std::min(cores, quota_of_line(line, root + "/sys/fs/cgroup"));
  }
  return std::max(cores, 1u);
}

}  // namespace backplane
