// SPDX-License-Identifier: Apache-2.0
// What one call does with the cache: asks for an answer, waits for that of a call like it, or
// copies its own while it goes to the client and leaves it behind when it is whole. All [loop] of
// the call.
#pragma once

#include "runtime/pipeline/cache/cache_result.hpp"
#include "runtime/pipeline/cache/response_cache.hpp"

#include <backplane/loop.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace backplane {

class CallCache {
 public:
  // Everything given outlives it; the cache and the service outlive all calls.
  CallCache(ResponseCache& cache, const bp_loop_service& loops, bp_loop* loop, const CacheKey& key);
  ~CallCache();
  CallCache(const CallCache&) = delete;
  CallCache& operator=(const CallCache&) = delete;

  enum class Next : std::uint8_t {
    kReplay,  // answer() is there
    kTry,     // a backend is to answer
    kWait     // `told` says which of the two, once
  };
  struct Question {
    std::int64_t now_ns = 0;
    std::int64_t age_max_ns = 0;  // 0: only a new one will do
    bool shares = false;          // calls like it wait for it, and it for them
  };
  // False: there is no answer yet, and enter is to follow.
  bool find(const Question& question);
  Next enter(const Question& question, std::function<void(Next)> told);

  // Null: a backend answers.
  const CachedAnswer* answer() const { return answer_.get(); }
  // The next event of the answer; false: there are no more.
  bool next(bp_event& event) { return reader_->next(event); }
  CacheResult result() const;

  // What a backend's answer is, as the client gets it: where it begins, every event, its end.
  CachedAnswer* recording() { return recording_.get(); }
  void note(const bp_event& event);
  void complete(const bp_usage& usage, bp_str end, std::int64_t now_ns);

  // The call is over, whatever it has come to. Idempotent.
  void end(FlightEnd how);

 private:
  class Waiter;
  void take(CacheVerdict verdict);
  Next take_answer(SharedAnswer answer);
  void record();
  void stop_recording();

  ResponseCache& cache_;
  const bp_loop_service& loops_;
  bp_loop* const loop_;
  const CacheKey key_;
  SharedAnswer answer_;
  std::optional<CachedAnswer::Reader> reader_;
  bool shared_ = false;
  Waiter* waiter_ = nullptr;  // deletes itself where a verdict is on its way
  std::function<void(Next)> told_;
  bool leads_ = false;
  std::unique_ptr<CachedAnswer> recording_;  // null: none, or too long
  std::uint64_t recorded_bytes_ = 0;
  std::uint64_t recorded_bytes_max_ = 0;
  std::uint64_t reserved_bytes_ = 0;
};

}  // namespace backplane
