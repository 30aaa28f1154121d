// SPDX-License-Identifier: Apache-2.0
// The processors of the process, shared by its engines: a step takes as many as it has threads, in
// the order in which the steps asked, so that models take turns rather than each other's time.
// Any thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace backplane::local {

class CpuShare {
 public:
  explicit CpuShare(std::size_t processors) : processors_(processors) {}
  static CpuShare& of_process();

  // Waits for `threads` processors (all, where there are fewer) and holds them while it lives.
  class Turn {
   public:
    Turn(CpuShare& share, std::size_t threads);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    CpuShare& share_;
    std::size_t threads_;
  };

 private:
  const std::size_t processors_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t last_ticket_ = 0;
  std::uint64_t next_ticket_ = 0;
  std::size_t taken_ = 0;
};

}  // namespace backplane::local
