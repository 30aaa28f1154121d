// SPDX-License-Identifier: Apache-2.0
// A bound on events of one kind: so many at once, and so many a second from then on.
#pragma once

#include <algorithm>
#include <cstdint>

namespace backplane::http {

class FloodGuard {
 public:
  FloodGuard(std::int64_t burst, std::int64_t per_second)
      : burst_(burst), per_second_(per_second), left_(burst) {}

  // False: one too many.
  bool take(std::int64_t now_ns) {
    constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;
    const std::int64_t seconds = (now_ns - since_ns_) / kNanosecondsPerSecond;
    if (seconds > 0) {
      since_ns_ = now_ns;
      left_ = seconds >= burst_ ? burst_ : std::min(burst_, left_ + seconds * per_second_);
    }
    return left_-- > 0;
  }

 private:
  std::int64_t burst_;
  std::int64_t per_second_;
  std::int64_t left_;
  std::int64_t since_ns_ = 0;
};

}  // namespace backplane::http
