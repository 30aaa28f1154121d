// SPDX-License-Identifier: Apache-2.0
// How many bytes of request bodies one instance holds at once, all its connections together: from a
// body's first large block to the release of the last who reads it. Any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace backplane::http {

class BodyBudget {
 public:
  explicit BodyBudget(std::uint64_t limit_bytes) : limit_bytes_(limit_bytes) {}

  // False, and nothing is taken, where it would be too much.
  bool take(std::uint64_t bytes) {
    if (held_bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= limit_bytes_)
      return true;
    give(bytes);
    return false;
  }
  void give(std::uint64_t bytes) { held_bytes_.fetch_sub(bytes, std::memory_order_relaxed); }

 private:
  const std::uint64_t limit_bytes_;
  std::atomic<std::uint64_t> held_bytes_{0};
};

}  // namespace backplane::http
