// SPDX-License-Identifier: Apache-2.0
#include "runtime/services/process_metrics.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

namespace backplane {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::int64_t kMillisecondsPerSecond = 1'000;

std::int64_t clock_ns(clockid_t which) {
  timespec now{};
  clock_gettime(which, &now);
  return static_cast<std::int64_t>(now.tv_sec) * kSecondNs + now.tv_nsec;
}

// Field `index` of /proc/self/statm, in bytes.
std::int64_t memory_bytes(int index) {
  std::ifstream file("/proc/self/statm");
  std::int64_t pages = 0;
  for (int i = 0; i <= index; ++i) file >> pages;
  return file ? pages * sysconf(_SC_PAGESIZE) : 0;
}

// Linux 6.2 and later say the number as the folder's size; before, one has to look.
std::int64_t open_descriptors() {
  struct stat folder {};
  if (::stat("/proc/self/fd", &folder) == 0 && folder.st_size > 0) return folder.st_size;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir("/proc/self/fd"), &closedir);
  if (entries == nullptr) return 0;
  std::int64_t count = 0;
  while (readdir(entries.get()) != nullptr) ++count;
  return count - 3;  // ".", ".." and this look's own
}

std::int64_t descriptors_max() {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<std::int64_t>(limit.rlim_cur) : 0;
}

// Since the epoch, in milliseconds: field 22 of /proc/self/stat counts ticks from the boot on. The
// second field, in brackets, may hold anything.
std::int64_t start_ms() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  std::size_t at = line.rfind(')');
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = line.find(' ', at + 1);
  if (at == std::string::npos) return 0;
  const std::int64_t ticks = std::strtoll(line.c_str() + at, nullptr, 10);
  const std::int64_t boot_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
  return boot_ns / 1'000'000 + ticks * kMillisecondsPerSecond / sysconf(_SC_CLK_TCK);
}

struct Row {
  std::uint32_t kind;
  const char* name;
  const char* help;
  std::int64_t denominator;
  std::int64_t (*read)();
};

constexpr std::array<Row, 6> kRows = {{
    {BP_METRIC_COUNTER, "process_cpu_seconds_total", "Processor time used", kSecondNs,
     [] { return clock_ns(CLOCK_PROCESS_CPUTIME_ID); }},
    {BP_METRIC_GAUGE, "process_resident_memory_bytes", "Memory in use", 1,
     [] { return memory_bytes(1); }},
    {BP_METRIC_GAUGE, "process_virtual_memory_bytes", "Memory mapped", 1,
     [] { return memory_bytes(0); }},
    {BP_METRIC_GAUGE, "process_open_fds", "Open file descriptors", 1, open_descriptors},
    {BP_METRIC_GAUGE, "process_max_fds", "File descriptors that may be open", 1, descriptors_max},
    {BP_METRIC_GAUGE, "process_start_time_seconds", "When the process began, since the epoch",
     kMillisecondsPerSecond,
     [] {
       static const std::int64_t start = start_ms();
       return start;
     }},
}};

}  // namespace

Status define_process_metrics(MetricsRegistry& registry) {
  for (const Row& row : kRows) {
    const Status defined =
        registry.observe({row.kind, row.name, row.help, {}, row.denominator, {}}, row.read);
    if (!defined) return defined;
  }
  return registry.observe({BP_METRIC_GAUGE,
                           "backplane_build_info",
                           "Always 1; the build by its "
                           "labels",
                           {{"version", BACKPLANE_VERSION}},
                           1,
                           {}},
                          [] { return 1; });
}

}  // namespace backplane
