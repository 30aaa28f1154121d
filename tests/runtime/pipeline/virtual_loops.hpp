// SPDX-License-Identifier: Apache-2.0
// bp.loop/1 and bp.clock/1 in virtual time, on the test's thread: nothing runs until it is told to,
// and a seed gives the same run again.
#pragma once

#include <backplane/clock.h>
#include <backplane/loop.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace backplane::test {

class VirtualLoops {
 public:
  explicit VirtualLoops(std::uint32_t count = 1, std::uint64_t seed = 1);
  ~VirtualLoops();
  VirtualLoops(const VirtualLoops&) = delete;
  VirtualLoops& operator=(const VirtualLoops&) = delete;

  const bp_loop_service& service() const { return service_; }
  const bp_clock& clock() const { return clock_; }
  bp_loop* at(std::uint32_t index) const;

  // Runs what is queued, on all loops, until nothing is. Time stands still.
  void run_until_idle();
  // One task of one loop; false where there is none.
  bool run_one();
  // Moves time on, running every timer that becomes due and what it queues.
  void advance(std::uint64_t delay_ms);
  // Runs until neither a task nor a timer is left.
  void run_to_the_end();
  std::size_t timer_count() const;

  std::int64_t now_ns() const { return now_ns_; }
  // Runs `body` as on a thread that is no loop's.
  void elsewhere(const std::function<void()>& body);
  // Runs `body` as on this loop.
  void on(std::uint32_t index, const std::function<void()>& body);

 private:
  struct Loop;
  Loop* run_on(Loop* loop);
  bool run_timer(std::int64_t until_ns);

  std::vector<std::unique_ptr<Loop>> loops_;
  Loop* current_ = nullptr;
  std::int64_t now_ns_ = 1'000'000'000;
  std::uint64_t next_timer_ = 1;
  std::mt19937_64 random_;
  bp_loop_service service_;
  bp_clock clock_;
};

}  // namespace backplane::test
