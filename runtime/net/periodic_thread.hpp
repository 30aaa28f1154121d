// SPDX-License-Identifier: Apache-2.0
// A thread that does the same work again and again, for what would block a loop.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

namespace backplane {

class PeriodicThread {
 public:
  // The first time after one interval.
  PeriodicThread(std::uint64_t interval_ms, std::function<void()> work);
  // Waits for what is under way.
  ~PeriodicThread();
  PeriodicThread(const PeriodicThread&) = delete;
  PeriodicThread& operator=(const PeriodicThread&) = delete;

 private:
  void run(std::uint64_t interval_ms);

  const std::function<void()> work_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace backplane
