// SPDX-License-Identifier: Apache-2.0
// Coarse deadlines of many objects of one loop: one pass over a flat array every 250 ms while any
// is armed. Setting a deadline is one store. All [loop].
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/net/event_loop.hpp"

namespace backplane {

inline constexpr std::uint64_t kSweepIntervalMs = 250;

class Timed {
 public:
  // The deadline has passed, at most kSweepIntervalMs ago; it is disarmed.
  virtual void on_deadline() = 0;

 protected:
  ~Timed() = default;

 private:
  friend class DeadlineSweep;
  std::uint32_t slot_ = UINT32_MAX;
};

class DeadlineSweep {
 public:
  explicit DeadlineSweep(EventLoop& loop) : loop_(loop) {}
  ~DeadlineSweep();
  DeadlineSweep(const DeadlineSweep&) = delete;
  DeadlineSweep& operator=(const DeadlineSweep&) = delete;

  void add(Timed& timed);
  void remove(Timed& timed);
  // 0 disarms.
  void set(Timed& timed, std::int64_t deadline_ns);

 private:
  struct Slot {
    std::int64_t deadline_ns;
    Timed* timed;
  };

  void arm();
  void sweep();

  EventLoop& loop_;
  std::vector<Slot> slots_;
  std::vector<Timed*> due_;
  std::uint64_t timer_ = 0;
};

}  // namespace backplane
