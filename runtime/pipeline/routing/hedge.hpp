// SPDX-License-Identifier: Apache-2.0
// Whether calls of a model may try a second route beside a first one that is late, and how many of
// them: a share of the calls, and a few at once, so that a market in trouble is not asked twice.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

namespace backplane {

struct Hedge {
  static constexpr float kReserve = 10;  // on each loop, at the start
  static constexpr float kMost = 50;     // what calls can save up

  std::uint32_t percent = 0;   // of the streamed calls; 0: never
  std::uint64_t after_ms = 0;  // without a first event; 0: what the route seldom takes longer than

  bool is_on() const { return percent != 0; }
  // [loop] A call that may be hedged has begun.
  void deposit(std::uint32_t loop) const {
    if (!is_on()) return;
    const float share = static_cast<float>(percent) / 100;
    left(loop).store(std::min(left(loop).load(std::memory_order_relaxed) + share, kMost),
                     std::memory_order_relaxed);
  }
  // [loop] False: none is left.
  bool withdraw(std::uint32_t loop) const {
    const float before = left(loop).load(std::memory_order_relaxed);
    if (before < 1) return false;
    left(loop).store(before - 1, std::memory_order_relaxed);
    return true;
  }

 private:
  struct alignas(64) Left {
    std::atomic<float> calls{kReserve};
  };
  using Lefts = std::array<Left, 16>;  // loops beyond share them

  std::atomic<float>& left(std::uint32_t loop) const {
    return (*lefts_)[loop % lefts_->size()].calls;
  }
  std::shared_ptr<Lefts> lefts_ = std::make_shared<Lefts>();
};

}  // namespace backplane
