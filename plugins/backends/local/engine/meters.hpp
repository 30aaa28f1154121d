// SPDX-License-Identifier: Apache-2.0
// What an engine measures. Called on its thread; must not block.
#pragma once

#include <cstddef>
#include <cstdint>

namespace backplane::local {

struct EngineGauges {
  std::size_t waiting = 0;  // requests without a place in the batch
  std::size_t running = 0;  // ... with one
  std::size_t pages_used = 0;
  std::size_t pages_cached = 0;  // used by nobody, kept for their prefix
  std::size_t pages = 0;
  bool loaded = false;
};

class EngineMeters {
 public:
  virtual ~EngineMeters() = default;
  virtual void on_gauges(const EngineGauges& gauges) = 0;
  // Of `tokens` computed for `sequences` requests, all but one for each of `streams` are of
  // prompts.
  virtual void on_step(std::size_t sequences, std::size_t streams, std::size_t tokens,
                       std::int64_t duration_ns) = 0;
  virtual void on_prefix_hit(std::size_t tokens) = 0;
  virtual void on_preemption() = 0;
  virtual void on_first_token(std::int64_t since_arrival_ns) = 0;
  virtual void on_next_token(std::int64_t since_last_ns) = 0;
};

}  // namespace backplane::local
