// SPDX-License-Identifier: Apache-2.0
// What other threads tell the engine's: requests, cancels and pauses, in the order they came; and
// the bound on those that wait. The taker sleeps here while there is nothing to do.
//
// Threads: take(), set_waiting() and note_end() are the engine's, all else any.
#pragma once

#include <backplane/result.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "plugins/backends/local/engine/generation.hpp"

namespace backplane::local {

using Clock = std::chrono::steady_clock;

struct InboxChange {
  enum class Kind { kCancel, kPause, kResume };
  RequestId id = 0;
  Kind kind = Kind::kCancel;
};

struct InboxContents {
  std::vector<std::unique_ptr<Generation>> arrived;
  std::vector<InboxChange> changes;
  bool stopping = false;
};

class Inbox {
 public:
  explicit Inbox(std::size_t waiting_max) : waiting_max_(waiting_max) {}

  // kResourceExhausted with retry_after_ms when waiting_max wait, kUnavailable after stop().
  Result<RequestId> submit(GenerateRequest request, StreamListener& listener);
  void change(RequestId id, InboxChange::Kind kind);
  void stop();
  // Makes take() return.
  void wake();

  // What has come since. Waits for something to come when not `busy`, until `deadline` at most.
  InboxContents take(bool busy, std::optional<Clock::time_point> deadline);
  // How many requests the taker has that wait for their turn.
  void set_waiting(std::size_t waiting);
  // A request was served; how often that happens tells when there is room again.
  void note_end(Clock::time_point now);

 private:
  std::uint64_t retry_after_ms() const;

  const std::size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  InboxContents contents_;
  bool woken_ = false;
  RequestId last_id_ = 0;
  std::size_t waiting_ = 0;  // with the taker
  std::optional<Clock::time_point> last_end_;
  double end_interval_ms_ = 0;
};

}  // namespace backplane::local
