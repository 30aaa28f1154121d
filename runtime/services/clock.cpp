// SPDX-License-Identifier: Apache-2.0
#include "runtime/services/clock.hpp"

#include <sys/random.h>
#include <time.h>

#include <cstdint>

namespace backplane {
namespace {

std::int64_t read_clock(clockid_t which) {
  timespec now{};
  clock_gettime(which, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

void fill_random(void* /*context*/, void* target, std::uint64_t size) {
  auto* out = static_cast<unsigned char*>(target);
  while (size > 0) {
    const ssize_t got = getrandom(out, size, 0);
    if (got < 0) continue;  // interrupted; nothing else can fail with these flags
    out += got;
    size -= static_cast<std::uint64_t>(got);
  }
}

}  // namespace

const bp_clock* system_clock() {
  static const bp_clock kClock{sizeof(bp_clock),
                               0,
                               nullptr,
                               [](void*) { return read_clock(CLOCK_MONOTONIC); },
                               [](void*) { return read_clock(CLOCK_REALTIME); },
                               &fill_random};
  return &kClock;
}

}  // namespace backplane
