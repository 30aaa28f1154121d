// SPDX-License-Identifier: Apache-2.0
// The spans of one loop on their way to the collector: gathered in batches, sent one request at a
// time, tried again where that can help, dropped and counted where it cannot. Bounded, and nobody
// ever waits for it. All [loop] but the constructor.
#pragma once

#include "runtime/services/logger.hpp"
#include "runtime/telemetry/export_metrics.hpp"
#include "runtime/telemetry/span.hpp"

#include <backplane/clock.h>
#include <backplane/http.h>
#include <backplane/loop.h>

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace backplane {

inline constexpr std::size_t kSpansQueuedMax = 2'048;  // of one loop, those under way included
inline constexpr std::size_t kSpansPerBatch = 512;
inline constexpr std::uint64_t kBatchDelayMs = 5'000;  // after which a smaller batch goes
inline constexpr std::uint32_t kExportTimeoutMs = 10'000;
inline constexpr std::uint32_t kExportTriesMax = 5;
inline constexpr std::uint64_t kBackOffMs = 1'000;  // doubled with each try, and up to half more
inline constexpr std::size_t kCollectorAnswerMaxBytes = 64 * 1024;

// What the exporters of a deployment share; outlives them.
struct ExportContext {
  const bp_loop_service& loops;
  const bp_http& http;
  const bp_clock& clock;
  Logger& logger;
  ExportMetrics metrics;
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  ExportFrame frame;
};

class SpanExporter {
 public:
  SpanExporter(ExportContext& context, bp_loop* loop) : context_(context), loop_(loop) {}
  SpanExporter(const SpanExporter&) = delete;
  SpanExporter& operator=(const SpanExporter&) = delete;

  bp_loop* loop() const { return loop_; }

  // Takes a complete span. Sends nothing before a later turn.
  void add(std::string_view span);
  // Sends all that waits, each batch once, and then calls `done`, which must not destroy this.
  void flush(std::function<void()> done);
  // Drops what is left; nothing comes after it.
  void close();

 private:
  struct Batch {
    std::string spans;
    std::size_t count = 0;
  };

  void arm(std::uint64_t delay_ms);
  void disarm();
  void on_timer();
  void send_next();
  void send();
  void on_answer();
  void on_failure(const Error& error);
  void try_again(const std::string& why, std::uint64_t delay_ms);
  void give_up(const std::string& why);
  void end_batch();
  void tell_failure(const std::string& why);

  ExportContext& context_;
  bp_loop* const loop_;
  std::deque<Batch> waiting_;
  Batch sending_;
  std::size_t queued_ = 0;
  bp_http_exchange* exchange_ = nullptr;
  std::uint64_t timer_ = 0;
  bool backing_off_ = false;  // the timer is for sending_
  bool closed_ = false;
  bool failing_ = false;
  std::uint32_t tries_ = 0;
  std::function<void()> flushed_;

  std::uint32_t status_ = 0;
  std::uint64_t retry_after_ms_ = 0;
  std::string answer_;

  static const bp_http_handler kHandler;
};

}  // namespace backplane
