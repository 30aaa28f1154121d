// SPDX-License-Identifier: Apache-2.0
#include "runtime/host/control_thread.hpp"

#include <chrono>
#include <utility>

namespace backplane {
namespace {

constexpr auto kTidyPeriod = std::chrono::milliseconds(20);
constexpr auto kIdlePeriod = std::chrono::seconds(10);

}  // namespace

ControlThread::ControlThread(std::function<bool()> tidy)
    : tidy_(std::move(tidy)), thread_([this] { run(); }) {}

bool ControlThread::post(std::function<void()> job) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return false;
  jobs_.push_back(std::move(job));
  wake_.notify_one();
  return true;
}

void ControlThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void ControlThread::run() {
  bool untidy = false;
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto has_work = [this] { return stopping_ || !jobs_.empty(); };
    if (untidy) {
      wake_.wait_for(lock, kTidyPeriod, has_work);
    } else {
      wake_.wait_for(lock, kIdlePeriod, has_work);
    }
    if (jobs_.empty() && stopping_) return;
    std::function<void()> job;
    if (!jobs_.empty()) {
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    lock.unlock();
    if (job) job();
    job = nullptr;
    untidy = tidy_();
    lock.lock();
  }
}

}  // namespace backplane
