// SPDX-License-Identifier: Apache-2.0
#include "runtime/services/clock.hpp"

#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <array>
#include <atomic>
#include <cstdint>

namespace backplane {
namespace {

std::int64_t read_clock(clockid_t which) {
  timespec now{};
  clock_gettime(which, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

void read_kernel_random(unsigned char* out, std::size_t size) {
  while (size > 0) {
    const ssize_t got = getrandom(out, size, 0);
    if (got < 0) continue;  // interrupted; nothing else can fail with these flags
    out += got;
    size -= static_cast<std::size_t>(got);
  }
}

// Counts forks: what a child inherits, its parent gives out too.
std::atomic<std::uint64_t>& forks() {
  static std::atomic<std::uint64_t> count{0};
  static const int registered = pthread_atfork(nullptr, nullptr, [] { forks().fetch_add(1); });
  static_cast<void>(registered);
  return count;
}

// One call to the kernel for many small requests. What was given out is wiped.
class RandomStock {
 public:
  void take(unsigned char* out, std::size_t size) {
    if (size > bytes_.size()) return read_kernel_random(out, size);
    const std::uint64_t now = forks().load(std::memory_order_relaxed);
    if (left_ < size || now != forks_) refill(now);
    left_ -= size;
    memcpy(out, bytes_.data() + left_, size);
    explicit_bzero(bytes_.data() + left_, size);
  }

 private:
  void refill(std::uint64_t forks) {
    read_kernel_random(bytes_.data(), bytes_.size());
    left_ = bytes_.size();
    forks_ = forks;
  }

  std::array<unsigned char, 256> bytes_{};
  std::size_t left_ = 0;
  std::uint64_t forks_ = 0;
};

void fill_random(void* /*context*/, void* target, std::uint64_t size) {
  thread_local RandomStock stock;
  stock.take(static_cast<unsigned char*>(target), size);
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
