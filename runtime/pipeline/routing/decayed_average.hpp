// SPDX-License-Identifier: Apache-2.0
// An average that forgets: what is old counts less, and no more than the last few samples count at
// all. Written by one thread, read by any; what two write at once may lose a sample.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>

namespace backplane {

class DecayedAverage {
 public:
  static constexpr float kSamplesMost = 20;
  static constexpr float kForgetUs = 5'000'000;

  void add(float sample, std::int64_t now_us) {
    const float before = std::min(weight_at(now_us), kSamplesMost);
    const float mean = mean_.load(std::memory_order_relaxed);
    mean_.store((mean * before + sample) / (before + 1), std::memory_order_relaxed);
    weight_.store(before + 1, std::memory_order_relaxed);
    at_us_.store(now_us, std::memory_order_relaxed);
  }
  float mean() const { return mean_.load(std::memory_order_relaxed); }
  // How many samples it is worth; 0: there has been none.
  float weight_at(std::int64_t now_us) const {
    const float weight = weight_.load(std::memory_order_relaxed);
    if (weight == 0) return 0;
    const auto age = static_cast<float>(std::max<std::int64_t>(now_us - sampled_us(), 0));
    return std::max(weight * std::exp(-age / kForgetUs), kLeast);
  }
  std::int64_t sampled_us() const { return at_us_.load(std::memory_order_relaxed); }

 private:
  static constexpr float kLeast = 1e-6F;  // better than nothing

  std::atomic<float> mean_{0};
  std::atomic<float> weight_{0};
  std::atomic<std::int64_t> at_us_{0};
};

}  // namespace backplane
