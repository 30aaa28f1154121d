// SPDX-License-Identifier: Apache-2.0
// How many tries beyond the first the calls of one model may have on one loop: a share of the
// calls, and a few a second, so that a provider in trouble is not met with a storm.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace backplane {

class RetryBudget {
 public:
  static constexpr float kReserve = 100;  // at the start; what time alone fills up
  static constexpr float kMost = 1000;    // what calls can save up
  static constexpr float kReservePerS = 10;
  static constexpr std::int64_t kNsPerS = 1'000'000'000;

  // A call has begun.
  void deposit(std::uint32_t percent) {
    const float share = static_cast<float>(percent) / 100;
    store(std::min(load() + share, std::max(load(), kMost)));
  }
  // False: the call that failed is not to be tried again.
  bool withdraw(std::int64_t now_ns) {
    refill(now_ns);
    if (load() < 1) return false;
    store(load() - 1);
    return true;
  }
  float left() const { return load(); }

 private:
  void refill(std::int64_t now_ns) {
    const std::int64_t before = refilled_ns_.exchange(now_ns, std::memory_order_relaxed);
    if (before == 0 || now_ns <= before || load() >= kReserve) return;
    const float earned =
        static_cast<float>(now_ns - before) / static_cast<float>(kNsPerS) * kReservePerS;
    store(std::min(load() + earned, kReserve));
  }
  float load() const { return tokens_.load(std::memory_order_relaxed); }
  void store(float tokens) { tokens_.store(tokens, std::memory_order_relaxed); }

  std::atomic<float> tokens_{kReserve};
  std::atomic<std::int64_t> refilled_ns_{0};
};

}  // namespace backplane
