// SPDX-License-Identifier: Apache-2.0
// Spans on their way to a collector that works, refuses, fails, stalls: batches, bounds, retries.
#include "runtime/telemetry/span_exporter.hpp"

#include "tests/runtime/telemetry/virtual_collector.hpp"

#include <gtest/gtest.h>

namespace backplane::test {
namespace {

constexpr std::int64_t kMillisecondNs = 1'000'000;

class Exporting : public testing::Test {
 protected:
  ~Exporting() override {
    loops.on(0, [&] { exporter.close(); });
    loops.run_to_the_end();
  }

  void add(std::size_t count) {
    loops.on(0, [&] {
      for (std::size_t i = 0; i < count; ++i) exporter.add(R"({"n":)" + std::to_string(i) + '}');
    });
  }
  bool flush() {
    bool done = false;
    loops.on(0, [&] { exporter.flush([&] { done = true; }); });
    loops.advance(1'000);
    return done;
  }
  std::size_t spans_in(std::size_t request) const {
    const auto& resource = collector.requests.at(request).body.at("resourceSpans").at(0);
    return resource.at("scopeSpans").at(0).at("spans").as_array().size();
  }
  double dropped(const std::string& reason) const {
    return metric("backplane_trace_spans_dropped_total{reason=\"" + reason + "\"}");
  }
  double exported() const { return metric("backplane_trace_spans_exported_total"); }
  double metric(const std::string& series) const {
    const std::string text = '\n' + registry.text();
    const std::size_t found = text.find('\n' + series + ' ');
    return found == std::string::npos ? -1 : std::stod(text.substr(found + series.size() + 2));
  }
  std::vector<std::int64_t> waits_ms() const {
    std::vector<std::int64_t> waits;
    for (std::size_t i = 1; i < collector.requests.size(); ++i) {
      const auto& before = collector.requests[i - 1];
      waits.push_back((collector.requests[i].at_ns - before.at_ns) / kMillisecondNs);
    }
    return waits;
  }

  VirtualLoops loops;
  VirtualCollector collector{loops};
  MetricsRegistry registry;
  Logger logger{LogLevel::kOff, LogFormat::kText};
  ExportContext context{loops.service(),
                        collector.table(),
                        loops.clock(),
                        logger,
                        *ExportMetrics::create(registry),
                        "http://collector:4318/v1/traces",
                        {{"x-key", "k"}},
                        make_export_frame({{"service.name", "a \"b\""}}, "1.2.3")};
  SpanExporter exporter{context, loops.at(0)};
};

TEST_F(Exporting, NothingIsSentWithoutSpans) {
  loops.advance(60'000);
  EXPECT_TRUE(collector.requests.empty());
  EXPECT_TRUE(flush());
}

TEST_F(Exporting, AFewWaitForMore) {
  add(3);
  loops.advance(kBatchDelayMs - 1);
  EXPECT_TRUE(collector.requests.empty());
  loops.advance(1);
  ASSERT_EQ(collector.requests.size(), 1U);
  const auto& request = collector.requests[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "http://collector:4318/v1/traces");
  EXPECT_EQ(request.headers.at("content-type"), "application/json");
  EXPECT_EQ(request.headers.at("x-key"), "k");
  const auto& resource = request.body.at("resourceSpans").at(0);
  const auto& name = resource.at("resource").at("attributes").at(0);
  EXPECT_EQ(name.at("key").as_string(), "service.name");
  EXPECT_EQ(name.at("value").at("stringValue").as_string(), "a \"b\"");
  EXPECT_EQ(resource.at("scopeSpans").at(0).at("scope").at("version").as_string(), "1.2.3");
  EXPECT_EQ(spans_in(0), 3U);
  loops.advance(100);
  EXPECT_EQ(exported(), 3);
}

TEST_F(Exporting, AFullBatchGoesAtOnceButInALaterTurn) {
  add(kSpansPerBatch + 1);
  EXPECT_TRUE(collector.requests.empty());
  loops.advance(0);
  ASSERT_EQ(collector.requests.size(), 1U);
  EXPECT_EQ(spans_in(0), kSpansPerBatch);
  loops.advance(kBatchDelayMs + 1'000);
  ASSERT_EQ(collector.requests.size(), 2U);
  EXPECT_EQ(spans_in(1), 1U);
}

TEST_F(Exporting, ASlowCollectorIsAskedOnceAtATimeAndTheQueueIsBounded) {
  collector.answers = {{200, {}, "{}", 60'000}};
  add(kSpansPerBatch);
  loops.advance(0);
  add(10 * kSpansQueuedMax);
  EXPECT_EQ(collector.requests.size(), 1U);
  EXPECT_EQ(dropped("queue_full"), 10.0 * kSpansQueuedMax - (kSpansQueuedMax - kSpansPerBatch));
  loops.advance(120'000);
  EXPECT_EQ(collector.most_under_way, 1);
  EXPECT_EQ(exported(), double{kSpansQueuedMax});
  add(1);
  EXPECT_TRUE(flush());
  EXPECT_EQ(exported(), kSpansQueuedMax + 1.0) << "there is room again";
}

TEST_F(Exporting, WhatMayComeLaterIsTriedAgainEverSlower) {
  for (const std::uint32_t status : {503U, 429U, 502U, 504U}) {
    collector.answers.push_back({status, {}, "", 0});
  }
  add(2);
  loops.advance(60'000);
  ASSERT_EQ(collector.requests.size(), 5U);
  std::int64_t back_off_ms = kBackOffMs;
  for (const std::int64_t wait_ms : waits_ms()) {
    EXPECT_GE(wait_ms, back_off_ms);
    EXPECT_LT(wait_ms, back_off_ms + back_off_ms / 2);
    back_off_ms *= 2;
  }
  EXPECT_EQ(exported(), 2);
  EXPECT_EQ(dropped("failed"), 0);
}

TEST_F(Exporting, TheCollectorSaysWhenToComeBack) {
  collector.answers = {{503, {{"retry-after", "30"}}, "", 0}};
  add(1);
  loops.advance(100'000);
  ASSERT_EQ(collector.requests.size(), 2U);
  EXPECT_GE(waits_ms()[0], 30'000);
  EXPECT_LT(waits_ms()[0], 31'000);
}

TEST_F(Exporting, AfterSomeTriesTheBatchIsDroppedAndTheNextIsSent) {
  for (std::uint32_t i = 0; i < kExportTriesMax; ++i) collector.answers.push_back({0, {}, "", 5});
  add(kSpansPerBatch + 1);
  loops.advance(200'000);
  EXPECT_EQ(collector.requests.size(), kExportTriesMax + 1);
  EXPECT_EQ(dropped("failed"), double{kSpansPerBatch});
  EXPECT_EQ(exported(), 1);
}

TEST_F(Exporting, ARefusalIsFinal) {
  for (const std::uint32_t status : {400U, 401U, 404U, 413U, 500U, 301U}) {
    collector.answers.push_back({status, {{"retry-after", "1"}}, "", 0});
    add(1);
    loops.advance(60'000);
  }
  EXPECT_EQ(collector.requests.size(), 6U);
  EXPECT_EQ(dropped("failed"), 6);
}

TEST_F(Exporting, PartOfABatchMayBeRefused) {
  collector.answers = {{200, {}, R"({"partialSuccess":{"rejectedSpans":"2"}})", 0},
                       {200, {}, R"({"partialSuccess":{"rejectedSpans":"99"}})", 0},
                       {200, {}, std::string(2 * kCollectorAnswerMaxBytes, 'x'), 0}};
  for (int i = 0; i < 3; ++i) {
    add(3);
    loops.advance(10'000);
  }
  EXPECT_EQ(dropped("refused"), 2 + 3);
  EXPECT_EQ(exported(), 1 + 0 + 3);
}

TEST_F(Exporting, AFlushSendsAllThatWaits) {
  add(kSpansPerBatch * 2 + 5);
  EXPECT_TRUE(flush());
  EXPECT_EQ(exported(), kSpansPerBatch * 2 + 5.0);
}

TEST_F(Exporting, AFlushDoesNotWaitForABackOff) {
  collector.answers = {{503, {{"retry-after", "60"}}, "", 0}};
  add(1);
  loops.advance(kBatchDelayMs + 10);
  EXPECT_TRUE(flush());
  EXPECT_EQ(exported(), 1);
}

TEST_F(Exporting, AFlushTriesEachBatchOnce) {
  collector.answers.assign(9, {503, {}, "", 0});
  add(kSpansPerBatch + 1);
  EXPECT_TRUE(flush());
  EXPECT_EQ(collector.requests.size(), 2U);
  EXPECT_EQ(dropped("failed"), kSpansPerBatch + 1.0);
}

TEST_F(Exporting, CloseDropsWhatIsLeft) {
  collector.answers = {{200, {}, "", VirtualCollector::kNever}};
  add(kSpansPerBatch + 7);
  EXPECT_FALSE(flush());
  loops.on(0, [&] { exporter.close(); });
  EXPECT_EQ(collector.cancelled, 1);
  EXPECT_EQ(dropped("shutdown"), kSpansPerBatch + 7.0);
  add(1);
  loops.advance(60'000);
  EXPECT_EQ(dropped("shutdown"), kSpansPerBatch + 8.0);
  EXPECT_EQ(loops.timer_count(), 0U);
}

}  // namespace
}  // namespace backplane::test
