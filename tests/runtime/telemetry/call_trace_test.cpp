// SPDX-License-Identifier: Apache-2.0
// Calls through the gateway: which spans they leave, what backends are told of the trace.
#include "tests/runtime/pipeline/world.hpp"
#include "tests/runtime/telemetry/virtual_collector.hpp"

#include <gtest/gtest.h>

namespace backplane::test {
namespace {

const std::string kTrace = "0af7651916cd43dd8448eb211c80319c";
const std::string kSampled = "00-" + kTrace + "-b7ad6b7169203331-01";
const std::string kUnsampled = "00-" + kTrace + "-b7ad6b7169203331-00";
using Metadata = std::vector<std::pair<std::string, std::string>>;

// A world with two backends behind the model "m", traced.
class TracedWorld {
 public:
  explicit TracedWorld(double ratio = 1.0) {
    TracerSettings settings;
    settings.endpoint = "http://collector/";
    settings.sample_ratio = ratio;
    const TracerServices services{world.loops.service(), collector.table(), world.loops.clock(),
                                  world.registry, logger};
    tracer = std::move(*Tracer::create(services, std::move(settings)));
    world.add_model("m", {"a", "b"});
    world.options.tracer = tracer.get();
  }
  // Tasks and timers of the exporter must not outlive it.
  ~TracedWorld() { world.loops.run_to_the_end(); }

  std::vector<boost::json::object> spans() {
    world.loops.run_to_the_end();
    return collector.spans();
  }

  World world;
  ScriptedBackend& a = world.add_backend("a");
  ScriptedBackend& b = world.add_backend("b");
  VirtualCollector collector{world.loops};
  Logger logger{LogLevel::kOff, LogFormat::kText};
  std::unique_ptr<Tracer> tracer;
};

std::string header(const ScriptedBackend& backend, const std::string& name) {
  const auto found = backend.last.metadata.find(name);
  return found != backend.last.metadata.end() ? found->second : "<none>";
}

TEST(CallTrace, ACallAndItsAttempt) {
  TracedWorld traced;
  traced.a.scripts = {Script({text("secret words").after(250), usage(3, 5), end()})};
  traced.world.open();
  Client client(traced.world);
  client.id = "request-7";
  client.metadata = {{"traceparent", kSampled}, {"tracestate", "x=1"}, {"authorization", "key-9"}};
  client.begin(R"({"model":"m","stream":true,"max_tokens":9,"messages":["secret question"]})");
  const auto spans = traced.spans();
  ASSERT_EQ(spans.size(), 2U);
  const auto& attempt = spans[0];
  const auto& call = spans[1];

  EXPECT_EQ(text_at(call, "traceId"), kTrace);
  EXPECT_EQ(text_at(call, "parentSpanId"), "b7ad6b7169203331");
  EXPECT_EQ(text_at(call, "kind"), "2");
  EXPECT_EQ(text_at(call, "name"), "chat m");
  EXPECT_EQ(text_at(call, "status"), "<none>");
  EXPECT_EQ(attribute(call, "gen_ai.operation.name"), "chat");
  EXPECT_EQ(attribute(call, "gen_ai.request.model"), "m");
  EXPECT_EQ(attribute(call, "gen_ai.request.max_tokens"), "9");
  EXPECT_EQ(attribute(call, "gen_ai.request.stream"), "true");
  EXPECT_EQ(std::stod(attribute(call, "gen_ai.response.time_to_first_chunk")), 0.25);
  EXPECT_EQ(attribute(call, "backplane.request_id"), "request-7");
  EXPECT_EQ(attribute(call, "backplane.outcome"), "ok");
  EXPECT_EQ(attribute(call, "http.response.status_code"), "200");
  EXPECT_EQ(attribute(call, "error.type"), "<none>");
  const auto start = std::stoll(text_at(call, "startTimeUnixNano"));
  EXPECT_EQ(std::stoll(text_at(call, "endTimeUnixNano")) - start, 250'000'000);

  EXPECT_EQ(text_at(attempt, "traceId"), kTrace);
  EXPECT_EQ(text_at(attempt, "parentSpanId"), text_at(call, "spanId"));
  EXPECT_EQ(text_at(attempt, "kind"), "3");
  EXPECT_EQ(text_at(attempt, "name"), "chat a-m");
  EXPECT_EQ(attribute(attempt, "gen_ai.provider.name"), "a");
  EXPECT_EQ(attribute(attempt, "gen_ai.request.model"), "a-m");
  EXPECT_EQ(attribute(attempt, "gen_ai.usage.input_tokens"), "3");
  EXPECT_EQ(attribute(attempt, "gen_ai.usage.output_tokens"), "5");
  EXPECT_EQ(attribute(attempt, "gen_ai.usage.cache_read.input_tokens"), "<none>");

  EXPECT_EQ(header(traced.a, "traceparent"),
            "00-" + kTrace + '-' + text_at(attempt, "spanId") + "-01");
  EXPECT_EQ(header(traced.a, "tracestate"), "x=1");
  const std::string all = boost::json::serialize(traced.collector.requests[0].body);
  for (const char* secret : {"secret words", "secret question", "key-9"}) {
    EXPECT_EQ(all.find(secret), std::string::npos) << secret;
  }
}

TEST(CallTrace, UnknownUsageIsLeftOut) {
  TracedWorld traced;
  traced.a.scripts = {Script({text("x"), end()})};
  traced.world.open();
  Client client(traced.world);
  client.begin(R"({"model":"m"})");
  const auto spans = traced.spans();
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(attribute(spans[0], "gen_ai.usage.input_tokens"), "<none>");
  EXPECT_EQ(attribute(spans[0], "gen_ai.usage.output_tokens"), "<none>");
  EXPECT_EQ(attribute(spans[0], "gen_ai.response.time_to_first_chunk"), "<none>");
  EXPECT_EQ(attribute(spans[0], "gen_ai.request.stream"), "<none>");
}

TEST(CallTrace, UsageOfNothingIsTold) {
  TracedWorld traced;
  traced.a.scripts = {Script({text("x"), usage(3, 0), end()})};
  traced.world.open();
  Client client(traced.world);
  client.begin(R"({"model":"m"})");
  const auto spans = traced.spans();
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(attribute(spans[0], "gen_ai.usage.output_tokens"), "0");
}

TEST(CallTrace, EveryAttemptHasASpanOfItsOwn) {
  TracedWorld traced;
  Step failure = error(Code::kUnavailable, 503);
  failure.error.message = "secret detail";
  failure.error.type = "secret type";
  traced.a.scripts = {Script({usage(3, 5), failure.turn()})};
  traced.world.open();
  Client client(traced.world);
  client.begin();
  const auto spans = traced.spans();
  ASSERT_EQ(spans.size(), 3U);
  EXPECT_EQ(attribute(spans[0], "backplane.backend"), "a");
  EXPECT_EQ(attribute(spans[0], "error.type"), "unavailable");
  EXPECT_EQ(attribute(spans[0], "gen_ai.usage.output_tokens"), "5");
  EXPECT_EQ(attribute(spans[1], "gen_ai.usage.output_tokens"), "<none>");
  EXPECT_EQ(spans[0].at("status").at("code").as_int64(), 2);
  EXPECT_EQ(attribute(spans[1], "backplane.backend"), "b");
  EXPECT_EQ(attribute(spans[1], "error.type"), "<none>");
  EXPECT_EQ(attribute(spans[2], "backplane.attempts"), "2");
  EXPECT_EQ(text_at(spans[2], "status"), "<none>");
  EXPECT_EQ(text_at(spans[2], "parentSpanId"), "<none>") << "a trace that begins here";
  const std::string first = header(traced.a, "traceparent");
  const std::string second = header(traced.b, "traceparent");
  EXPECT_EQ(first.substr(36, 16), text_at(spans[0], "spanId"));
  EXPECT_EQ(second.substr(36, 16), text_at(spans[1], "spanId"));
  EXPECT_NE(first, second);
  EXPECT_EQ(first.substr(0, 36), second.substr(0, 36));
  EXPECT_EQ(first.substr(53), "03") << "recorded, and the id is random";
  const std::string all = boost::json::serialize(traced.collector.requests[0].body);
  EXPECT_EQ(all.find("secret"), std::string::npos);
}

TEST(CallTrace, AFailedCallSaysWhy) {
  TracedWorld traced;
  for (ScriptedBackend* backend : {&traced.a, &traced.b}) {
    Step failure = error(Code::kDeadlineExceeded, 504);
    failure.error.type = "TIMEOUT";
    backend->scripts = {Script({failure})};
  }
  traced.world.open();
  Client client(traced.world);
  client.begin();
  const auto spans = traced.spans();
  ASSERT_EQ(spans.size(), 3U);
  EXPECT_EQ(attribute(spans[2], "error.type"), "TIMEOUT");
  EXPECT_EQ(attribute(spans[2], "http.response.status_code"), "504");
  EXPECT_EQ(attribute(spans[2], "backplane.outcome"), "failed");
  EXPECT_EQ(text_at(spans[2].at("status").as_object(), "message"), "the time was over");
}

TEST(CallTrace, AClientThatLeavesEndsBothSpans) {
  TracedWorld traced;
  traced.a.scripts = {Script({text("x"), text("y").after(10'000), end()})};
  traced.world.open();
  Client client(traced.world);
  client.begin();
  traced.world.run();
  client.leave();
  const auto spans = traced.spans();
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(attribute(spans[0], "error.type"), "SCRIPTED");
  EXPECT_EQ(attribute(spans[1], "backplane.outcome"), "client_gone");
  EXPECT_EQ(text_at(spans[1], "status"), "<none>");
}

TEST(CallTrace, ARefusedCallHasNoAttempt) {
  TracedWorld traced;
  ScriptedPayment& payment = traced.world.add_payment("p");
  payment.decisions.resize(1);
  payment.decisions[0].verdict = BP_VERDICT_DENY;
  traced.world.open();
  Client client(traced.world);
  client.begin();
  const auto spans = traced.spans();
  ASSERT_EQ(spans.size(), 1U);
  EXPECT_EQ(attribute(spans[0], "backplane.outcome"), "refused");
  EXPECT_EQ(attribute(spans[0], "backplane.attempts"), "0");
}

struct Case {
  double ratio;
  Metadata metadata;
  std::size_t spans;
  std::string traceparent;  // for the backend; "": one of ours
  std::string tracestate;
};

TEST(CallTrace, WhoDecidesWhatIsRecorded) {
  const Case kCases[] = {
      {1.0, {{"traceparent", kUnsampled}, {"tracestate", "x=1"}}, 0, kUnsampled, "x=1"},
      {0.0, {{"traceparent", kSampled}, {"tracestate", "x=1"}}, 2, "", "x=1"},
      {0.0, {}, 0, "", "<none>"},
      {1.0, {}, 2, "", "<none>"},
      {1.0, {{"traceparent", "00-nonsense"}, {"tracestate", "x=1"}}, 2, "", "<none>"},
      {0.0, {{"traceparent", "00-nonsense"}, {"tracestate", "x=1"}}, 0, "", "<none>"},
      {1.0, {{"traceparent", kSampled}, {"traceparent", kSampled}}, 2, "", "<none>"}};
  for (const Case& item : kCases) {
    TracedWorld traced(item.ratio);
    traced.world.open();
    Client client(traced.world);
    client.metadata = item.metadata;
    client.begin();
    EXPECT_EQ(traced.spans().size(), item.spans);
    const std::string told = header(traced.a, "traceparent");
    if (item.traceparent.empty()) {
      const auto context = parse_traceparent(told);
      ASSERT_TRUE(context) << told;
      EXPECT_EQ(context->sampled(), item.spans != 0);
    } else {
      EXPECT_EQ(told, item.traceparent);
    }
    EXPECT_EQ(header(traced.a, "tracestate"), item.tracestate);
  }
}

TEST(CallTrace, ARatioIsKept) {
  TracedWorld traced(0.25);
  int recorded = 0;
  constexpr int kTraces = 4'000;
  for (int i = 0; i < kTraces; ++i) recorded += traced.tracer->new_trace().sampled() ? 1 : 0;
  EXPECT_NEAR(recorded, kTraces / 4, kTraces / 20);
}

TEST(CallTrace, WithoutATracerHeadersPassAsTheyCame) {
  World world;
  ScriptedBackend& backend = world.add_backend("a");
  world.add_model("m", {"a"});
  world.open();
  Client client(world);
  client.metadata = {{"traceparent", "anything"}, {"tracestate", "x=1"}};
  client.begin();
  world.run();
  EXPECT_EQ(header(backend, "traceparent"), "anything");
  EXPECT_EQ(header(backend, "tracestate"), "x=1");
}

}  // namespace
}  // namespace backplane::test
