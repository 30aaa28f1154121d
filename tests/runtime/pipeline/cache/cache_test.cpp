// SPDX-License-Identifier: Apache-2.0
// Calls of a model that keeps its answers: what is given again, to whom and for how long, what is
// not, and what it costs.
#include "tests/runtime/pipeline/world.hpp"

#include <gtest/gtest.h>

namespace backplane::test {
namespace {

constexpr const char* kBody = R"({"model":"m"})";

class CacheTest : public testing::Test {
 protected:
  CacheTest() {
    Model& model = world.add_model("m", {"a", "b"});
    model.price = {1'000'000, 1'000'000};  // a nano-USD a token
    model.cache.ttl_s = 60;
    world.add_model("plain", {"a"});
  }
  // One call to its end.
  std::unique_ptr<Client> call(const std::string& body = kBody,
                               std::vector<std::pair<std::string, std::string>> metadata = {}) {
    auto client = std::make_unique<Client>(world);
    client->metadata = std::move(metadata);
    EXPECT_EQ(client->begin(body), BP_CODE_OK) << client->begin_error.message;
    world.run();
    return client;
  }
  static std::string result(const Client& client) {
    const auto& headers = client.events().front().headers;
    const auto found = headers.find("x-backplane-cache");
    return found == headers.end() ? "none" : found->second;
  }
  double counted(const std::string& what) const {
    return world.metric("backplane_cache_requests_total{model=\"m\",result=\"" + what + "\"}");
  }
  World world;
  ScriptedBackend& a = world.add_backend("a");
  ScriptedBackend& b = world.add_backend("b");
};

TEST_F(CacheTest, TheSameRequestGetsTheSameEventsAgain) {
  a.scripts = {{{head({{"x-a", "1"}}), usage(3, 0), reasoning("hm"), text("hi"),
                 text_with_logprobs("!", "[1]"), tool_call("c1", "f", "{}"), usage(3, 4), end()}},
               {{text("other"), end()}}};
  world.open();
  const auto first = call();
  world.loops.advance(2'500);
  const auto second = call();
  EXPECT_EQ(a.submitted, 1);
  EXPECT_EQ(first->log(), "head usage reasoning:hm text:hi text:![1] tool:c1/f:{} usage end");
  EXPECT_EQ(second->log(), first->log());
  EXPECT_EQ(result(*first), "miss");
  EXPECT_EQ(result(*second), "hit");
  const auto& headers = second->events().front().headers;
  EXPECT_EQ(headers.at("age"), "2");
  EXPECT_EQ(headers.at("x-a"), "1");
  EXPECT_EQ(headers.at("x-backplane-provider"), "a");
  EXPECT_EQ(headers.at("x-backplane-model"), "a-m");
  EXPECT_EQ(headers.at("x-backplane-attempts"), "0");
  EXPECT_EQ(first->events().front().headers.count("age"), 0U);
  EXPECT_NE(first->events().front().detail, second->events().front().detail) << "its own id";
  EXPECT_EQ(counted("hit"), 1.0);
  EXPECT_EQ(counted("miss"), 1.0);
  EXPECT_EQ(world.metric(R"(backplane_calls_total{model="m",outcome="ok"})"), 2.0);
  EXPECT_EQ(world.metric(R"(backplane_tokens_total{kind="completion",model="m"})"), 4.0);
  EXPECT_EQ(world.metric(R"(backplane_cache_saved_tokens_total{kind="completion",model="m"})"),
            4.0);
}

TEST_F(CacheTest, StreamsAndBodiesComeInTheFormThatTheyHad) {
  Step chunk = text("{\"a\":1}");
  chunk.type = BP_EVENT_CHUNK;
  Step done = end();
  done.data = "[DONE]";
  Step body = text("{}");
  body.type = BP_EVENT_BODY;
  a.scripts = {{{chunk, chunk.turn(), done}}, {{body, body.turn(), end()}}};
  world.open();
  for (const char* request : {R"({"model":"m","stream":true})", kBody}) {
    const auto first = call(request);
    const auto second = call(request);
    EXPECT_EQ(second->log(), first->log());
    EXPECT_EQ(result(*second), "hit");
    EXPECT_EQ(second->events().front().flags, first->events().front().flags);
    ASSERT_EQ(second->events().size(), 4U);
    for (std::size_t i = 1; i < 4; ++i) {
      EXPECT_EQ(second->events()[i].data, first->events()[i].data);
    }
  }
  EXPECT_EQ(a.submitted, 2);
}

TEST_F(CacheTest, NoOtherCallerGetsIt) {
  world.open();
  for (const std::string header : {"authorization", "x-api-key", "cookie", "x-payment",
                                   "payment-signature", "openai-organization"}) {
    EXPECT_EQ(result(*call(kBody, {{header, "one"}})), "miss") << header;
    EXPECT_EQ(result(*call(kBody, {{header, "two"}})), "miss") << header;
    EXPECT_EQ(result(*call(kBody, {{header, "one"}, {"remote", "1.2.3.4"}})), "hit") << header;
  }
  EXPECT_EQ(result(*call()), "miss") << "nobody is somebody else, too";
  EXPECT_EQ(result(*call(kBody, {{"traceparent", "x"}})), "hit");
}

TEST_F(CacheTest, AnyDifferenceInTheRequestIsAnother) {
  world.open();
  for (const char* body : {kBody, R"({"model":"m" })", R"({"model":"m","stream":true})",
                           R"({"model":"m","stream":true,"stream_options":{"include_usage":true}})",
                           R"({"model":"m","provider":"b"})", R"({"model":"m","provider":"a"})"}) {
    EXPECT_EQ(result(*call(body)), "miss") << body;
    EXPECT_EQ(result(*call(body)), "hit") << body;
  }
  Client other(world);
  other.operation = "completions";
  other.begin(kBody);
  world.run();
  EXPECT_EQ(result(other), "miss");
  EXPECT_EQ(b.submitted, 1) << "what was pinned";
}

TEST_F(CacheTest, AModelWithoutItKeepsNothing) {
  world.open();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(result(*call(R"({"model":"plain"})")), "none");
  EXPECT_EQ(a.submitted, 2);
  EXPECT_EQ(world.cache.size().answers, 0U);
}

TEST_F(CacheTest, AnAnswerIsGivenAgainUntilItsTimeIsOver) {
  world.open();
  call();
  world.loops.advance(59'999);
  EXPECT_EQ(result(*call()), "hit");
  world.loops.advance(1);
  EXPECT_EQ(result(*call()), "miss");
  EXPECT_EQ(result(*call()), "hit");
  EXPECT_EQ(a.submitted, 2);
  EXPECT_EQ(world.cache.size().answers, 1U);
}

TEST_F(CacheTest, CacheControlOfTheRequestIsHeeded) {
  a.scripts = {{{text("1"), end()}}, {{text("2"), end()}}, {{text("3"), end()}}};
  world.open();
  call();
  const auto unkept = call(kBody, {{"cache-control", "no-store"}});
  EXPECT_EQ(unkept->log(), "head text:2 end");
  EXPECT_EQ(result(*unkept), "none");
  EXPECT_EQ(call()->log(), "head text:1 end");
  const auto fresh = call(kBody, {{"cache-control", "no-cache"}});
  EXPECT_EQ(fresh->log(), "head text:3 end");
  EXPECT_EQ(result(*fresh), "miss");
  EXPECT_EQ(call()->log(), "head text:3 end") << "the new answer is kept";
  world.loops.advance(10'000);
  EXPECT_EQ(result(*call(kBody, {{"cache-control", "max-age=11"}})), "hit");
  EXPECT_EQ(result(*call(kBody, {{"cache-control", "max-age=9"}})), "miss");
}

TEST_F(CacheTest, WhatLaterCallsReferToIsNotKept) {
  world.open();
  for (int i = 0; i < 2; ++i) {
    Client client(world);
    client.operation = "responses";
    client.begin(kBody);
    world.run();
    EXPECT_EQ(result(client), "none");
  }
  EXPECT_EQ(a.submitted, 2);
}

TEST_F(CacheTest, FailuresAreNotKept) {
  const std::vector<Script> failures = {
      {{error(Code::kInvalidArgument, 400)}},
      {{text("half"), error(Code::kUnavailable, 503)}},
      {{usage(1, 1), error(Code::kInvalidArgument, 400)}},
  };
  a.scripts = {failures.begin(), failures.end()};
  a.scripts.push_back({{text("hi"), end()}});
  world.open();
  for (std::size_t i = 0; i < failures.size(); ++i) {
    EXPECT_EQ(call()->last().type, BP_EVENT_ERROR);
    EXPECT_EQ(world.cache.size().answers, 0U);
  }
  EXPECT_EQ(call()->log(), "head text:hi end");
  EXPECT_EQ(call()->log(), "head text:hi end");
  EXPECT_EQ(a.submitted, 4);
}

TEST_F(CacheTest, AnAnswerThatItsClientLeftIsNotKept) {
  a.scripts = {{{text("1"), text("2").turn(), end().turn()}}};
  world.open();
  {
    Client client(world);
    client.leave_at(1);
    client.begin(kBody);
    world.run();
  }
  {
    Client client(world);
    client.answer = [](Client& self, const Client::Event&) {
      return self.events().size() == 2 ? BP_FLOW_STOP : BP_FLOW_CONTINUE;
    };
    client.begin(kBody);
    world.run();
  }
  EXPECT_EQ(world.cache.size().answers, 0U);
  EXPECT_EQ(call()->log(), "head text:1 text:2 end");
}

TEST_F(CacheTest, TheAnswerOfTheRouteThatServedIsKept) {
  a.scripts = {{{head({{"x-a", "1"}}), error(Code::kUnavailable, 503)}}};
  b.scripts = {{{head({{"x-b", "1"}}), text("b"), end()}}};
  world.open();
  call();
  const auto second = call();
  EXPECT_EQ(second->log(), "head text:b end");
  EXPECT_EQ(second->events().front().headers.at("x-backplane-provider"), "b");
  EXPECT_EQ(second->events().front().headers.count("x-a"), 0U);
  EXPECT_EQ(second->events().front().headers.at("x-b"), "1");
}

TEST_F(CacheTest, AHitHasTheReceiptOfItsAnswer) {
  a.scripts = {{{text("hi"), receipt(R"({"a":1})"), end()}}};
  world.open();
  call();
  Client hit(world);
  hit.id = "hit";
  hit.begin(kBody);
  world.run();
  EXPECT_EQ(hit.log(), "head text:hi end");
  const bp_gateway& gateway = world.table();
  bp_buffer out{};
  bp_error error{};
  ASSERT_EQ(gateway.receipt(gateway.context, str("hit"), nullptr, 0, &out, &error), BP_CODE_OK);
  EXPECT_EQ(view(out), R"({"a":1})");
  out.release(out.owner);
}

TEST_F(CacheTest, WhatIsTooLongGoesThroughAndIsNotKept) {
  world.cache.set_bounds({std::uint64_t{1} << 20U, 4096});
  a.scripts = {{{text(std::string(3000, 'x')), text(std::string(3000, 'y')).turn(), end()}}};
  world.open();
  EXPECT_EQ(call()->events().size(), 4U);
  EXPECT_EQ(world.cache.reserved_bytes(), 0U);
  EXPECT_EQ(call()->events().size(), 4U);
  EXPECT_EQ(a.submitted, 2);
}

TEST_F(CacheTest, WithoutRoomForAnswersUnderWayTheyAreNotKept) {
  world.open();
  ASSERT_TRUE(world.cache.reserve(64 * 1024 * 1024));
  EXPECT_EQ(call()->log(), "head text:hi end");
  world.cache.give_back(64 * 1024 * 1024);
  EXPECT_EQ(result(*call()), "miss");
  EXPECT_EQ(result(*call()), "hit");
}

TEST_F(CacheTest, AHitHeedsItsClient) {
  Script script;
  for (int i = 0; i < 6; ++i) script.steps.push_back(text(std::to_string(i)));
  script.steps.push_back(end());
  a.scripts = {script};
  world.open();
  const std::string log = call()->log();
  Client slow(world);
  slow.answer = [](Client&, const Client::Event&) { return BP_FLOW_PAUSE; };
  slow.begin(kBody);
  for (std::size_t events = 1; events <= 7; ++events) {
    world.run();
    EXPECT_EQ(slow.events().size(), events);
    slow.resume();
  }
  world.run();
  EXPECT_EQ(slow.log(), log);
  Client gone(world);
  gone.leave_at(3);
  gone.begin(kBody);
  Client stopped(world);
  stopped.answer = [](Client&, const Client::Event&) { return BP_FLOW_STOP; };
  stopped.begin(kBody);
  Client cancelled(world);
  cancelled.answer = [](Client& self, const Client::Event&) -> std::uint32_t {
    if (self.events().size() == 2) self.cancel();
    return BP_FLOW_CONTINUE;
  };
  cancelled.begin(kBody);
  world.run();
  EXPECT_EQ(gone.events().size(), 4U);
  EXPECT_EQ(stopped.log(), "head error:CANCELLED/499");
  EXPECT_EQ(cancelled.log(), "head text:0 error:CANCELLED/499");
  EXPECT_EQ(a.submitted, 1);
}

TEST_F(CacheTest, AHitThatIsPausedEndsAtItsDeadline) {
  world.open();
  call();
  Client slow(world);
  slow.answer = [](Client&, const Client::Event&) { return BP_FLOW_PAUSE; };
  slow.begin(kBody);
  world.run();
  world.loops.advance(world.options.call.call_timeout_ms);
  EXPECT_EQ(slow.log(), "head error:TIMEOUT/504");
}

class PaidCacheTest : public CacheTest {
 protected:
  PaidCacheTest() { a.scripts = {{{text("hi"), usage(30, 12), end()}}}; }
  ScriptedPayment& p = world.add_payment("p");
};

TEST_F(PaidCacheTest, AHitIsAuthorizedAndCostsNothing) {
  world.open();
  call();
  EXPECT_EQ(p.last_amount_nano_usd, 42);
  call();
  EXPECT_EQ(p.asked, 2);
  EXPECT_EQ(p.settled, 1);
  EXPECT_EQ(p.released, 1);
}

TEST_F(PaidCacheTest, WhoMayNotCallGetsNoHit) {
  p.decisions = {{}, {}};
  p.decisions[1].verdict = BP_VERDICT_DENY;
  p.decisions[1].message = "no";
  world.open();
  call();
  EXPECT_EQ(call()->log(), "error:SCRIPTED/402");
  EXPECT_EQ(counted("hit"), 0.0);
}

class ChargedCacheTest : public PaidCacheTest,
                         public testing::WithParamInterface<std::pair<std::uint32_t, int>> {};

TEST_P(ChargedCacheTest, AHitCostsItsPartRoundedUp) {
  Model& model = world.add_model("priced", {"a"});
  model.price = {1'000'000, 1'000'000};
  model.cache = {60, GetParam().first, ""};
  world.open();
  const std::string body = R"({"model":"priced"})";
  call(body);
  call(body);
  EXPECT_EQ(p.settled, 2);
  EXPECT_EQ(p.last_amount_nano_usd, GetParam().second);
  EXPECT_EQ(p.last_tokens, (std::pair<std::uint64_t, std::uint64_t>(30, 12)));
  EXPECT_EQ(p.open(), 0);
}

INSTANTIATE_TEST_SUITE_P(Percents, ChargedCacheTest,
                         testing::Values(std::pair(1U, 1), std::pair(50U, 21), std::pair(25U, 11),
                                         std::pair(100U, 42)));

}  // namespace
}  // namespace backplane::test
