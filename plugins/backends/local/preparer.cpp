// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/preparer.hpp"

namespace backplane::local {

Preparer::Preparer(std::size_t queue_max) : queue_max_(queue_max) {
  short_.thread = std::thread([this] { run(short_); });
  long_.thread = std::thread([this] { run(long_); });
}

Preparer::~Preparer() {
  stop();
}

bool Preparer::post(std::function<void()> task, std::function<bool()> is_long) {
  {
    const std::lock_guard lock(mutex_);
    if (short_.stopping || short_.tasks.size() >= queue_max_ || long_.tasks.size() >= queue_max_) {
      return false;
    }
    short_.tasks.push_back({std::move(task), std::move(is_long)});
  }
  short_.changed.notify_one();
  return true;
}

// The short ones first: some of them turn out to be long.
void Preparer::stop() {
  stop(short_);
  stop(long_);
}

void Preparer::stop(Lane& lane) {
  {
    const std::lock_guard lock(mutex_);
    lane.stopping = true;
  }
  lane.changed.notify_one();
  if (lane.thread.joinable()) lane.thread.join();
}

void Preparer::put(Lane& lane, Task task) {
  {
    const std::lock_guard lock(mutex_);
    lane.tasks.push_back(std::move(task));
  }
  lane.changed.notify_one();
}

void Preparer::run(Lane& lane) {
  for (;;) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      lane.changed.wait(lock, [&] { return lane.stopping || !lane.tasks.empty(); });
      if (lane.tasks.empty()) return;
      task = std::move(lane.tasks.front());
      lane.tasks.pop_front();
    }
    if (&lane == &short_ && task.is_long && task.is_long()) {
      put(long_, std::move(task));
    } else {
      task.run();
    }
  }
}

}  // namespace backplane::local
