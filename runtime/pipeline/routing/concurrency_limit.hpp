// SPDX-License-Identifier: Apache-2.0
// How many calls a backend takes at once, learned from it: one more for every full round that went
// well, a fifth less when it says that it has too many (AIMD). Off until it has bounds.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace backplane {

class ConcurrencyLimit {
 public:
  static constexpr std::int64_t kCutPauseNs = 200'000'000;  // one fault of many calls cuts once

  // [control] `most` 0: no limit. What was learned is kept within the bounds.
  void bound(std::uint64_t least, std::uint64_t most) {
    least_.store(static_cast<float>(least), std::memory_order_relaxed);
    most_.store(static_cast<float>(most), std::memory_order_relaxed);
    const float known = limit_.load(std::memory_order_relaxed);
    const float begin = known == 0 ? static_cast<float>(most) : known;
    limit_.store(std::clamp(begin, static_cast<float>(least), static_cast<float>(most)),
                 std::memory_order_relaxed);
  }
  // [control] Goes on with what another of the same name has learned; before bound.
  void adopt(const ConcurrencyLimit& other) {
    limit_.store(other.limit_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  }
  bool is_on() const { return most_.load(std::memory_order_relaxed) != 0; }
  // [any-thread] 0: no limit.
  std::uint64_t now() const {
    return is_on() ? static_cast<std::uint64_t>(limit_.load(std::memory_order_relaxed)) : 0;
  }

  // [any-thread] A call went well while `in_flight` ran. A limit that was not reached learns
  // nothing.
  void went_well(std::uint64_t in_flight) {
    const float limit = limit_.load(std::memory_order_relaxed);
    if (!is_on() || static_cast<float>(in_flight) * 2 < limit) return;
    limit_.store(std::min(limit + 1 / limit, most_.load(std::memory_order_relaxed)),
                 std::memory_order_relaxed);
  }
  // [any-thread] The backend had too many, or did not end one in its time.
  void was_too_much(std::int64_t now_ns) {
    if (!is_on()) return;
    std::int64_t last = cut_ns_.load(std::memory_order_relaxed);
    if (last != 0 && now_ns - last < kCutPauseNs) return;
    if (!cut_ns_.compare_exchange_strong(last, now_ns, std::memory_order_relaxed)) return;
    constexpr float kCut = 0.8F;
    limit_.store(std::max(limit_.load(std::memory_order_relaxed) * kCut,
                          least_.load(std::memory_order_relaxed)),
                 std::memory_order_relaxed);
  }

 private:
  std::atomic<float> limit_{0};
  std::atomic<float> least_{0};
  std::atomic<float> most_{0};
  std::atomic<std::int64_t> cut_ns_{0};
};

}  // namespace backplane
