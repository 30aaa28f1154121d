// SPDX-License-Identifier: Apache-2.0
// Does what is too long for an event loop and too small for the engine: parsing, rendering and
// tokenizing of requests, in the order they came. What takes much longer, such as compiling
// schemas, has a thread of its own, so that nothing else waits for it.
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

  // [any-thread] False when the queue is full or stopped; the task is then dropped. `is_long` is
  // asked once, on a thread of the preparer's, before the task runs; without it the task is short.
  bool post(std::function<void()> task, std::function<bool()> is_long = {});
  // Runs what is queued, then ends the threads. Idempotent.
  void stop();

 private:
  struct Task {
    std::function<void()> run;
    std::function<bool()> is_long;
  };
  struct Lane {
    std::condition_variable changed;
    std::deque<Task> tasks;
    bool stopping = false;
    std::thread thread;
  };
  void run(Lane& lane);
  void put(Lane& lane, Task task);
  void stop(Lane& lane);

  const std::size_t queue_max_;
  std::mutex mutex_;
  Lane short_, long_;
};

}  // namespace backplane::local
