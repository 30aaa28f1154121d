// SPDX-License-Identifier: Apache-2.0
// Waiting for what other threads do: by condition, with a bound that only a failing test reaches.
#pragma once

#include <backplane/loop.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <utility>

namespace backplane::testing {

inline constexpr std::chrono::seconds kPatience{20};

// A value that threads change under a lock and a test waits for.
template <class T>
class Watched {
 public:
  template <class Change>
  void update(Change change) {
    // Told under the lock: the waiter may destroy this as soon as it has it.
    const std::lock_guard lock(mutex_);
    change(value_);
    changed_.notify_all();
  }
  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return condition(value_); });
  }
  T get() {
    const std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  T value_{};
};

// Runs `work` on a loop and returns when it is done.
inline void run_on(const bp_loop_service& loops, bp_loop* loop, const std::function<void()>& work) {
  std::promise<void> done;
  auto finished = done.get_future();
  auto call = std::make_pair(&work, std::move(done));
  using Call = decltype(call);
  loops.post(
      loop,
      [](void* argument) {
        auto& self = *static_cast<Call*>(argument);
        (*self.first)();
        std::promise<void> mine = std::move(self.second);
        mine.set_value();
      },
      &call);
  finished.wait();
}

}  // namespace backplane::testing
