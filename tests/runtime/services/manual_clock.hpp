// SPDX-License-Identifier: Apache-2.0
// A bp_clock that stands still until it is moved, or moves by a step with each reading. Any thread
// may read it.
#pragma once

#include <backplane/clock.h>

#include <atomic>

namespace backplane::test {

class ManualClock {
 public:
  ManualClock()
      : table_{sizeof(bp_clock),
               0,
               this,
               [](void* self) { return static_cast<ManualClock*>(self)->read(); },
               [](void* self) { return static_cast<ManualClock*>(self)->read(); },
               [](void*, void*, std::uint64_t) {}} {}
  ManualClock(const ManualClock&) = delete;
  ManualClock& operator=(const ManualClock&) = delete;

  const bp_clock& table() const { return table_; }
  void advance_ms(std::int64_t delay_ms) { now_ns_ += delay_ms * 1'000'000; }
  void step_ms(std::int64_t step_ms) { step_ns_ = step_ms * 1'000'000; }

 private:
  std::int64_t read() { return now_ns_.fetch_add(step_ns_); }

  std::atomic<std::int64_t> step_ns_ = 0;
  std::atomic<std::int64_t> now_ns_ = 1'000'000'000;
  bp_clock table_;
};

}  // namespace backplane::test
