// SPDX-License-Identifier: Apache-2.0
// What the HTTP client of one loop counts. Written by its loop alone, read by any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace backplane {

// One writer: no read-modify-write of the processor is needed.
class LoopCount {
 public:
  void add(std::int64_t change) {
    value_.store(value_.load(std::memory_order_relaxed) + change, std::memory_order_relaxed);
  }
  std::int64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

struct HttpCounts {
  LoopCount connections;  // open now, those included that are being opened
  LoopCount idle;         // of them, kept for the next request
  LoopCount waiting;      // exchanges without a connection, which wait for one to be free
  LoopCount opened;       // connections, ever
  LoopCount reused;       // exchanges that found an idle connection, ever
};

}  // namespace backplane
