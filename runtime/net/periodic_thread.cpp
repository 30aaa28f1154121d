// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/periodic_thread.hpp"

#include <chrono>
#include <utility>

namespace backplane {

PeriodicThread::PeriodicThread(std::uint64_t interval_ms, std::function<void()> work)
    : work_(std::move(work)), thread_([this, interval_ms] { run(interval_ms); }) {}

PeriodicThread::~PeriodicThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  thread_.join();
}

void PeriodicThread::run(std::uint64_t interval_ms) {
  const std::chrono::milliseconds interval(interval_ms);
  std::unique_lock lock(mutex_);
  while (!stop_.wait_for(lock, interval, [this] { return stopping_; })) {
    lock.unlock();
    work_();
    lock.lock();
  }
}

}  // namespace backplane
