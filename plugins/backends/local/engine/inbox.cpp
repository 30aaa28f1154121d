// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/engine/inbox.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace backplane::local {
namespace {

constexpr double kRetryMsMin = 1'000;
constexpr double kRetryMsMax = 60'000;
constexpr double kIntervalWeight = 0.1;  // of the newest interval in the average
constexpr std::size_t kRetryShare = 8;   // come back when this part of the queue has gone

}  // namespace

Result<RequestId> Inbox::submit(GenerateRequest request, StreamListener& listener) {
  const std::int64_t now_ns = Clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
  RequestId id = 0;
  {
    const std::lock_guard lock(mutex_);
    if (contents_.stopping) return Error{Code::kUnavailable, "the engine has stopped", {}, 0, 0};
    const std::size_t waiting = waiting_ + contents_.arrived.size();
    if (waiting >= waiting_max_) {
      return Error{Code::kResourceExhausted,
                   std::to_string(waiting) + " requests are waiting; retry later", "QUEUE_FULL",
                   429, retry_after_ms()};
    }
    id = ++last_id_;
    contents_.arrived.push_back(
        std::make_unique<Generation>(id, std::move(request), listener, now_ns));
  }
  changed_.notify_one();
  return id;
}

void Inbox::change(RequestId id, InboxChange::Kind kind) {
  {
    const std::lock_guard lock(mutex_);
    contents_.changes.push_back({id, kind});
  }
  changed_.notify_one();
}

void Inbox::stop() {
  {
    const std::lock_guard lock(mutex_);
    contents_.stopping = true;
  }
  changed_.notify_one();
}

void Inbox::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_one();
}

InboxContents Inbox::take(bool busy, std::optional<Clock::time_point> deadline) {
  std::unique_lock lock(mutex_);
  const auto has_news = [this] {
    return woken_ || contents_.stopping || !contents_.arrived.empty() || !contents_.changes.empty();
  };
  if (!busy && deadline) changed_.wait_until(lock, *deadline, has_news);
  if (!busy && !deadline) changed_.wait(lock, has_news);
  woken_ = false;
  waiting_ += contents_.arrived.size();
  InboxContents taken = std::move(contents_);
  contents_ = {};
  contents_.stopping = taken.stopping;
  return taken;
}

void Inbox::set_waiting(std::size_t waiting) {
  const std::lock_guard lock(mutex_);
  waiting_ = waiting;
}

void Inbox::note_end(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (last_end_) {
    const double interval_ms = std::chrono::duration<double, std::milli>(now - *last_end_).count();
    end_interval_ms_ += kIntervalWeight * (interval_ms - end_interval_ms_);
  }
  last_end_ = waiting_ > 0 ? std::optional(now) : std::nullopt;
}

std::uint64_t Inbox::retry_after_ms() const {
  const auto ends = static_cast<double>(std::max<std::size_t>(waiting_max_ / kRetryShare, 1));
  return static_cast<std::uint64_t>(std::clamp(ends * end_interval_ms_, kRetryMsMin, kRetryMsMax));
}

}  // namespace backplane::local
