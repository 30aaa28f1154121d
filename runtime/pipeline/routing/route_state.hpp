// SPDX-License-Identifier: Apache-2.0
// What is known of one route while it serves: how fast it answers, whether it fails, what the
// limits of its provider leave, what it costs. A route is known by its backend's name and the
// model's name there, so that a reload forgets nothing.
//
// Measurements are written in cells of one loop each and merged by each loop for itself, a few
// times a second; health is a few words that seldom change. No function takes a lock.
#pragma once

#include "runtime/pipeline/backend_series.hpp"
#include "runtime/pipeline/routing/decayed_average.hpp"
#include "runtime/pipeline/routing/tail_estimate.hpp"

#include <backplane/abi.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace backplane {

enum class RouteHealth : std::uint8_t {
  kGood,
  kProbeDue,  // it was ejected and may show that it serves again, to one call
  kLimited,   // its provider takes no more for now
  kEjected,
  kSlow,  // it was ejected for being slow: better than nothing
};
const char* name_of(RouteHealth health);

// From least to most; kUnknown is none of them.
enum class RoutePrivacy : std::uint8_t { kUnknown, kNone, kAnonymized, kPrivate, kTee, kE2ee };
const char* name_of(RoutePrivacy privacy);
RoutePrivacy privacy_of(std::string_view name);  // kUnknown for what is no name

// When a route is left out, and for how long at first; each time in a row it is twice as long.
struct EjectionRules {
  std::uint64_t failures = 5;  // in a row; 0: never
  std::uint64_t base_ms = 5'000;
  std::uint64_t slower = 0;  // than its usual time to the first event is a failure; 0: never
};

// One try of a call on a route, as its call sees it.
struct RouteTry {
  std::uint32_t loop = 0;
  std::int64_t begun_ns = 0;
  std::int64_t first_event_ns = 0;  // 0: none has come
  bool is_probe = false;
  bool streams = false;
  std::uint64_t tokens = 0;  // generated
};

// What its backend says of the model beyond what routes are chosen by.
struct RouteFacts {
  std::uint64_t context_length = 0;  // tokens; 0: unknown
  std::vector<std::string> input_modalities;
  std::vector<std::string> output_modalities;
};

class RouteState {
 public:
  static constexpr std::int64_t kEjectionMostMs = 300'000;
  static constexpr std::int64_t kLimitMostMs = 86'400'000;

  // `identity`: the same for the same route, in every process.
  explicit RouteState(std::string_view identity);
  RouteState(const RouteState&) = delete;
  RouteState& operator=(const RouteState&) = delete;

  std::uint64_t hash() const { return hash_; }

  // [loop] A try in this order: begin, at most one first_event, end.
  void begin(const RouteTry& given);
  void first_event(const RouteTry& given, const EjectionRules& rules = {});
  // It was cancelled, in favour of another route that answered first. `had_start`: which had been
  // tried because this one was late.
  void outrun(const RouteTry& given, bool had_start, const EjectionRules& rules,
              std::int64_t now_ns);
  void end(const RouteTry& given, AttemptOutcome outcome, std::uint64_t retry_after_ms,
           const EjectionRules& rules, std::int64_t now_ns);
  // [loop] What the backend said of its limits.
  void heed(const bp_rate_limit& limit, std::int64_t now_ns);

  // [any-thread]
  RouteHealth health(std::int64_t now_ns) const;
  // When it is good again or may be probed; 0: now.
  std::int64_t until_ns(std::int64_t now_ns) const;
  // Takes the place of the one probe; it ends with the try, or is given back.
  bool take_probe() { return !probing_.exchange(true, std::memory_order_relaxed); }
  void give_back_probe() { probing_.store(false, std::memory_order_relaxed); }

  struct Speed {
    float first_event_us = 0;
    float tokens_per_s = 0;
    float samples = 0;            // what they are worth by now; 0: nothing is known
    std::int64_t sampled_us = 0;  // the last one
    float waiting = 0;            // tries without an answer yet
    float waiting_us = 0;         // how long they have waited, on the average
  };
  // [any-thread] Of all loops, now.
  Speed speed(std::int64_t now_ns) const;
  // [loop] What an answer of so many tokens may take, in microseconds: by what this loop has seen
  // itself and what it last heard of the others. 0: nothing is known.
  float expected_us(std::uint32_t loop, std::int64_t now_ns, float tokens);
  // [loop] What 95 of 100 first events of streams are faster than, in microseconds; 0: unknown.
  float late_us(std::uint32_t loop) const;
  // [any-thread] When the route was last measured; 0: never.
  std::int64_t sampled_us(std::uint32_t loop) const { return cell(loop).sampled_us(); }

  // [any-thread] For those who look.
  std::uint64_t ejections() const { return ejections_total_.load(std::memory_order_relaxed); }
  // Of first events, in microseconds; 0: unknown.
  float usual_us() const;
  std::uint64_t failures_in_a_row() const { return failures_.load(std::memory_order_relaxed); }
  AttemptOutcome last_failure() const { return last_failure_.load(std::memory_order_relaxed); }

  // What the provider asks, in nano-USD per million tokens; below 0: unknown. [any-thread]
  std::atomic<std::int64_t> input_price{-1};
  std::atomic<std::int64_t> output_price{-1};
  std::atomic<RoutePrivacy> privacy{RoutePrivacy::kUnknown};
  RouteFacts facts;  // [control]

 private:
  struct alignas(64) Cell {
    std::atomic<std::int64_t> waiting{0};
    std::atomic<std::int64_t> waiting_since_us{0};  // the sum of when they began
    DecayedAverage first_event_us;
    TailEstimate late_us;
    DecayedAverage tokens_per_s;
    DecayedAverage failed;  // 1 for a failure, 0 for a success
    // What this loop last heard of all.
    std::atomic<std::int64_t> heard_us{0};
    std::atomic<float> heard_first_event_us{0};
    std::atomic<float> heard_tokens_per_s{0};
    std::atomic<float> heard_waiting_us{0};
    std::atomic<std::int64_t> heard_sampled_us{0};

    std::int64_t sampled_us() const;
  };
  static constexpr std::size_t kCells = 16;  // loops beyond share them

  Cell& cell(std::uint32_t loop) { return cells_[loop % kCells]; }
  const Cell& cell(std::uint32_t loop) const { return cells_[loop % kCells]; }
  std::int64_t us(std::int64_t ns) const { return ns / 1000; }
  void stop_waiting(const RouteTry& given);
  void measure(const RouteTry& given, std::int64_t now_ns);
  void succeeded(const RouteTry& given, std::int64_t now_us);
  void failed(const RouteTry& given, AttemptOutcome outcome, const EjectionRules& rules,
              std::int64_t now_us);
  void limited(std::uint64_t retry_after_ms, std::int64_t now_us);
  void eject(const EjectionRules& rules, std::int64_t now_us, bool is_slow = false);
  void judge(float took_us, const RouteTry& given, const EjectionRules& rules, std::int64_t now_us);
  void was_slow(const RouteTry& given, const EjectionRules& rules, std::int64_t now_us);

  const std::uint64_t hash_;
  // Written by few, read by all.
  alignas(64) std::atomic<std::int64_t> ejected_until_us_{0};  // 0: it is not
  std::atomic<std::int64_t> limited_until_us_{0};
  std::atomic<bool> probing_{false};
  std::atomic<bool> is_slow_{false};  // why it is ejected
  std::atomic<AttemptOutcome> last_failure_{AttemptOutcome::kOk};
  std::atomic<std::uint32_t> failures_{0};  // in a row
  std::atomic<std::uint32_t> limits_{0};    // likewise, refusals without a time
  std::atomic<std::uint32_t> slow_{0};      // likewise, late first events
  std::atomic<float> usual_us_{0};          // first events of a long time
  std::atomic<std::uint32_t> usual_samples_{0};
  std::atomic<std::uint32_t> ejections_in_a_row_{0};
  std::atomic<std::int64_t> ejected_at_us_{0};
  std::atomic<std::int64_t> readmitted_us_{0};
  std::atomic<std::uint64_t> ejections_total_{0};
  std::array<Cell, kCells> cells_;
};

}  // namespace backplane
