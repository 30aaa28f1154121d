// SPDX-License-Identifier: Apache-2.0
// One thread that does what is too long for an event loop and too small for the engine: parsing,
// rendering and tokenizing of requests, in the order they came.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace backplane::local {

class Preparer {
 public:
  explicit Preparer(std::size_t queue_max);
  ~Preparer();
  Preparer(const Preparer&) = delete;
  Preparer& operator=(const Preparer&) = delete;

  // [any-thread] False when the queue is full or stopped; the task is then dropped.
  bool post(std::function<void()> task);
  // Runs what is queued, then ends the thread. Idempotent.
  void stop();

 private:
  void run();

  const std::size_t queue_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace backplane::local
