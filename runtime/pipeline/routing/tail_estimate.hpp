// SPDX-License-Identifier: Apache-2.0
// About what 95 of 100 samples stay below, of late: a step up for each that is above, a nineteenth
// of it down for each that is not. Written by one thread, read by any; what two write at once may
// lose a sample.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace backplane {

class TailEstimate {
 public:
  static constexpr std::uint32_t kSamplesLeast = 20;  // before that nothing is known

  void add(float sample) {
    constexpr float kShareAbove = 0.05F;
    constexpr float kStep = 0.2F;
    const std::uint32_t count = count_.load(std::memory_order_relaxed);
    float value = value_.load(std::memory_order_relaxed);
    if (count == 0) {
      value = sample;
    } else {
      value *= sample > value ? 1 + kStep * (1 - kShareAbove) : 1 - kStep * kShareAbove;
    }
    value_.store(value, std::memory_order_relaxed);
    count_.store(std::min(count + 1, kCountMost), std::memory_order_relaxed);
  }
  float value() const { return value_.load(std::memory_order_relaxed); }
  std::uint32_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::uint32_t kCountMost = 1'000;

  std::atomic<float> value_{0};
  std::atomic<std::uint32_t> count_{0};
};

}  // namespace backplane
