// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/serve_events.hpp"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <thread>
#include <utility>

namespace backplane::cli {
namespace {

sigset_t awaited_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

}  // namespace

std::shared_ptr<ServeEvents> ServeEvents::from_signals() {
  const sigset_t signals = awaited_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  auto events = std::make_shared<ServeEvents>();  // shared with a thread that never ends
  std::thread([events] { events->watch(); }).detach();
  return events;
}

void ServeEvents::watch() {
  const sigset_t signals = awaited_signals();
  bool stopping = false;
  for (int signal = 0; sigwait(&signals, &signal) == 0;) {
    if (signal == SIGHUP) {
      put(ServeEvent::kReload);
      continue;
    }
    if (stopping || !is_serving()) _exit(1);
    stopping = true;
    put(ServeEvent::kStop);
  }
}

void ServeEvents::serving() {
  const std::lock_guard lock(mutex_);
  serving_ = true;
}

bool ServeEvents::is_serving() {
  const std::lock_guard lock(mutex_);
  return serving_;
}

void ServeEvents::put(ServeEvent event) {
  const std::lock_guard lock(mutex_);
  if (event == ServeEvent::kReload) {
    reload_wanted_ = true;
  } else if (!end_) {
    end_ = event;
  }
  wake_.notify_all();
}

bool ServeEvents::wait_for_reload() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return reload_wanted_ || end_; });
  return !end_ && std::exchange(reload_wanted_, false);
}

ServeEvent ServeEvents::wait_for_end() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return end_.has_value(); });
  return *end_;
}

}  // namespace backplane::cli
