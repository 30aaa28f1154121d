// SPDX-License-Identifier: Apache-2.0
// What a serving process is told: by signals, and by a process that has taken over. [any-thread]
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>

namespace backplane::cli {

enum class ServeEvent { kStop, kReload, kTakenOver };

class ServeEvents {
 public:
  // Blocks SIGTERM, SIGINT and SIGHUP in every thread made from here on, so that only the one made
  // here sees them. A signal to stop ends the process at once unless it is serving and the signal
  // is the first: starting and draining may take long.
  static std::shared_ptr<ServeEvents> from_signals();

  void serving();
  void put(ServeEvent event);
  ServeEvent wait();

 private:
  void watch();
  bool is_serving();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<ServeEvent> waiting_;  // guarded by mutex_
  bool serving_ = false;            // guarded by mutex_
};

}  // namespace backplane::cli
