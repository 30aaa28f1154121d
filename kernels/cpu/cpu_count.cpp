// SPDX-License-Identifier: Apache-2.0
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <thread>

#include "kernels/cpu/thread_pool.hpp"

namespace backplane::kernels {
namespace {

std::size_t cpus_by_affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    return static_cast<std::size_t>(std::max(1, CPU_COUNT(&set)));
  }
  return std::max<std::size_t>(1, std::thread::hardware_concurrency());
}

std::size_t whole_cpus(double quota_us, double period_us) {
  if (quota_us <= 0 || period_us <= 0) return SIZE_MAX;
  return std::max<std::size_t>(1, static_cast<std::size_t>(quota_us / period_us + 0.5));
}

// "max 100000" or "200000 100000" (cgroup v2, cpu.max).
std::size_t quota_v2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  double quota_us = 0;
  double period_us = 0;
  return file >> quota_us >> period_us ? whole_cpus(quota_us, period_us) : SIZE_MAX;
}

std::size_t quota_v1(const std::string& folder) {
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us");
  std::ifstream period_file(folder + "/cpu.cfs_period_us");
  double quota_us = 0;
  double period_us = 0;
  const bool both = (quota_file >> quota_us) && (period_file >> period_us);
  return both ? whole_cpus(quota_us, period_us) : SIZE_MAX;
}

// The tightest quota from this process's cgroup up to the root.
std::size_t cpus_by_quota() {
  std::size_t cpus = std::min(quota_v2("/sys/fs/cgroup"), quota_v1("/sys/fs/cgroup/cpu"));
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("0::/")) continue;
    for (std::string path = line.substr(3); path.size() > 1; path.resize(path.rfind('/'))) {
      cpus = std::min(cpus, quota_v2("/sys/fs/cgroup" + path));
    }
  }
  return cpus;
}

}  // namespace

std::size_t available_cpus() {
  return std::min(cpus_by_affinity(), cpus_by_quota());
}

}  // namespace backplane::kernels
