// SPDX-License-Identifier: Apache-2.0
// Whether bytes move fast enough: some within each timeout, and over the whole time, less one
// timeout, a least number a second.
#pragma once

#include <algorithm>
#include <cstdint>

namespace backplane::http {

struct PaceLimits {
  std::uint64_t timeout_ms;
  std::uint64_t bytes_per_second_min;  // 0: any
};

class Pace {
 public:
  void start(std::int64_t now_ns) {
    start_ns_ = last_ns_ = std::max<std::int64_t>(now_ns, 1);
    bytes_ = 0;
  }
  void stop() { start_ns_ = 0; }
  bool running() const { return start_ns_ != 0; }
  void add(std::uint64_t bytes, std::int64_t now_ns) {
    bytes_ += bytes;
    last_ns_ = now_ns;
  }

  // When it is too slow if nothing moves until then.
  std::int64_t deadline_ns(const PaceLimits& limits) const {
    constexpr std::int64_t kNanosecondsPerMillisecond = 1'000'000;
    constexpr double kNanosecondsPerSecond = 1e9;
    const auto timeout_ns =
        static_cast<std::int64_t>(limits.timeout_ms) * kNanosecondsPerMillisecond;
    if (limits.bytes_per_second_min == 0) return last_ns_ + timeout_ns;
    const double earned_ns = static_cast<double>(bytes_) * kNanosecondsPerSecond /
                             static_cast<double>(limits.bytes_per_second_min);
    return timeout_ns + std::min(last_ns_, start_ns_ + static_cast<std::int64_t>(earned_ns));
  }

 private:
  std::int64_t start_ns_ = 0;  // 0: nothing is awaited
  std::int64_t last_ns_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace backplane::http
