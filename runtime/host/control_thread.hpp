// SPDX-License-Identifier: Apache-2.0
// The thread on which a running deployment is changed: one job after another, and what is to be
// tidied up in between.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace backplane {

class ControlThread {
 public:
  // `tidy` is called after each job, every 20 ms as long as it answers true, and else every ten
  // seconds.
  explicit ControlThread(std::function<bool()> tidy);
  ~ControlThread() { stop(); }
  ControlThread(const ControlThread&) = delete;
  ControlThread& operator=(const ControlThread&) = delete;

  // [any-thread] False: it has been stopped and the job will not run.
  bool post(std::function<void()> job);
  // [any-thread but this] The job in hand ends, those that wait run too. Idempotent.
  void stop();

 private:
  void run();

  const std::function<bool()> tidy_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;  // guarded by mutex_
  bool stopping_ = false;                   // guarded by mutex_
  std::thread thread_;
};

}  // namespace backplane
