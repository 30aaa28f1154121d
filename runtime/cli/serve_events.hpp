// SPDX-License-Identifier: Apache-2.0
// What a serving process is told: by signals, and by a process that has taken over. [any-thread]
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>

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
  // A reload that is asked for before the first one has begun is not asked for twice. False: the
  // process is to end.
  bool wait_for_reload();
  // kStop or kTakenOver, the first that came.
  ServeEvent wait_for_end();

 private:
  void watch();
  bool is_serving();

  std::mutex mutex_;
  std::condition_variable wake_;
  // Guarded by mutex_.
  bool serving_ = false;
  bool reload_wanted_ = false;
  std::optional<ServeEvent> end_;
};

}  // namespace backplane::cli
