// SPDX-License-Identifier: Apache-2.0
// Calls over routes that fail, are limited, are slow: who sees which call, in virtual time. What a
// dead provider costs is counted in the calls that it sees.
#include "tests/runtime/pipeline/world.hpp"

#include <gtest/gtest.h>

namespace backplane::test {
namespace {

class RoutingTest : public testing::Test {
 protected:
  // Calls one after the other; how many of them failed.
  int call(int count, const std::string& body = R"({"model":"m","stream":true})") {
    int failed = 0;
    for (int i = 0; i < count; ++i) {
      Client client(world);
      EXPECT_EQ(client.begin(body), BP_CODE_OK) << client.begin_error.message;
      world.run();
      if (client.events().empty() || client.last().type != BP_EVENT_END) ++failed;
    }
    return failed;
  }
  World world;
  ScriptedBackend& a = world.add_backend("a");
  ScriptedBackend& b = world.add_backend("b");
  ScriptedBackend& c = world.add_backend("c");
  const Script dead{{error(Code::kUnavailable, 503)}};
  const Script alive{{text("hi"), end()}};
};

class DeadTest : public RoutingTest, public testing::WithParamInterface<RoutePolicy> {};

TEST_P(DeadTest, ADeadProviderCostsNothingAfterItsFirstFailures) {
  world.add_model("m", {"a", "b", "c"}).policy = GetParam();
  a.scripts = {dead};
  world.open();
  EXPECT_EQ(call(500), 0) << "every call is served by another";
  EXPECT_LE(a.submitted, 5);
  EXPECT_EQ(b.submitted + c.submitted, 500);
}

TEST_P(DeadTest, OneProbeAtATimeFindsItAlive) {
  world.add_model("m", {"a", "b"}).policy = GetParam();
  a.scripts = {dead};
  world.open();
  call(200);
  const int seen = a.submitted;
  world.loops.advance(5'000);
  EXPECT_EQ(call(200), 0);
  EXPECT_LE(a.submitted, seen + 1) << "one probe, and it is out for longer";
  a.scripts = {alive};
  world.loops.advance(20'000);
  const int before = a.submitted;
  EXPECT_EQ(call(200), 0);
  EXPECT_GT(a.submitted, before + 20) << "it serves again";
}

INSTANTIATE_TEST_SUITE_P(Policies, DeadTest,
                         testing::Values(RoutePolicy::kOrdered, RoutePolicy::kWeighted,
                                         RoutePolicy::kLeastBusy));

TEST_F(RoutingTest, WhereAllHaveFailedAllAreStillTried) {
  world.add_model("m", {"a", "b"});
  a.scripts = b.scripts = {dead};
  world.open();
  EXPECT_EQ(call(20), 20);
  b.scripts = {alive};
  EXPECT_EQ(call(20), 0);
}

TEST_F(RoutingTest, AProviderThatHasDroppedTheModelIsPassedBy) {
  world.add_model("m", {"a", "b"});
  Script dropped{{error(Code::kNotFound, 404)}};
  dropped.steps[0].error.type = "MODEL_NOT_FOUND";
  a.scripts = {dropped};
  world.open();
  EXPECT_EQ(call(100), 0);
  EXPECT_EQ(a.submitted, 5) << "then it is left out";
  b.scripts = {dropped};
  EXPECT_EQ(call(1), 1);
}

// The first of `a` come late from now on.
class SlowTest : public RoutingTest, public testing::WithParamInterface<RoutePolicy> {
 protected:
  int call_slowly(int count) {
    const int before = a.submitted;
    for (int i = 0; i < count; ++i) {
      Client client(world);
      client.begin();
      world.loops.advance(2'000);
      EXPECT_EQ(client.last().type, BP_EVENT_END);
    }
    return a.submitted - before;
  }
  static Script after(std::uint64_t ms) { return Script({text("hi").after(ms), end()}); }
};

TEST_P(SlowTest, ARouteThatHasBecomeSlowIsLeftOutUntilAProbeIsFast) {
  world.add_model("m", {"a", "b"}).policy = GetParam();
  a.scripts = b.scripts = {after(150)};
  world.instance("a").eject_ms = 60'000;
  world.open();
  call_slowly(100);
  a.scripts = {after(1'500)};
  EXPECT_EQ(call_slowly(25), 5);
  world.loops.advance(60'000);
  EXPECT_EQ(call_slowly(10), 1) << "a probe, which is late as well";
  a.scripts = {after(150)};
  world.loops.advance(120'000);
  EXPECT_GT(call_slowly(20), 3);
}

TEST_P(SlowTest, WhereNoOtherIsGoodItServes) {
  world.add_model("m", {"a", "b"}).policy = GetParam();
  a.scripts = b.scripts = {after(150)};
  world.open();
  call_slowly(100);
  a.scripts = b.scripts = {after(1'500)};
  const int before = b.submitted;
  EXPECT_GT(call_slowly(40), 0);
  EXPECT_GT(b.submitted, before) << "both, as the policy has it";
}

INSTANTIATE_TEST_SUITE_P(Policies, SlowTest,
                         testing::Values(RoutePolicy::kOrdered, RoutePolicy::kWeighted,
                                         RoutePolicy::kLeastBusy));

TEST_F(SlowTest, WhatIsSlowFromTheBeginningIsUsual) {
  world.add_model("m", {"a", "b"});
  a.scripts = {after(1'500)};
  world.open();
  EXPECT_EQ(call_slowly(50), 50);
}

TEST_F(SlowTest, LessThanHalfASecondIsNeverSlow) {
  world.add_model("m", {"a", "b"});
  a.scripts = {after(10)};
  world.open();
  call_slowly(30);
  a.scripts = {after(450)};
  EXPECT_EQ(call_slowly(30), 30);
}

TEST_F(SlowTest, UnlessThatIsTurnedOff) {
  world.add_model("m", {"a", "b"});
  world.instance("a").eject_slower = 0;
  a.scripts = {after(150)};
  world.open();
  call_slowly(30);
  a.scripts = {after(1'500)};
  EXPECT_EQ(call_slowly(30), 30);
}

TEST_F(RoutingTest, TheOnlyRouteIsAlwaysTried) {
  world.add_model("m", {"a"});
  a.scripts = {dead};
  world.open();
  EXPECT_EQ(call(50), 50);
  EXPECT_EQ(a.submitted, 50);
}

TEST_F(RoutingTest, APinnedProviderIsTriedWhateverItsHealth) {
  world.add_model("m", {"a", "b"});
  a.scripts = {dead};
  world.open();
  call(20);
  const int before = a.submitted;
  EXPECT_EQ(call(10, R"({"model":"m","provider":"a"})"), 10);
  EXPECT_EQ(a.submitted, before + 10);
}

TEST_F(RoutingTest, ARefusalByALimitPutsItLastUntilItsTime) {
  world.add_model("m", {"a", "b"});
  Script limited{{error(Code::kResourceExhausted, 429)}};
  limited.steps[0].error.retry_after_ms = 3'000;
  a.scripts = {limited, alive};
  world.open();
  EXPECT_EQ(call(10), 0);
  EXPECT_EQ(a.submitted, 1);
  world.loops.advance(3'000);
  call(10);
  EXPECT_EQ(a.submitted, 11);
}

class LimitTest : public RoutingTest, public testing::WithParamInterface<When> {};

TEST_P(LimitTest, WhatAHeadSaysIsHeeded) {
  world.add_model("m", {"a", "b"});
  Step last = head({}).at(GetParam());
  last.rate_limit = unknown_rate_limit();
  last.rate_limit->requests_remaining = 0;
  last.rate_limit->requests_reset_ms = 2'000;
  a.scripts = {Script({last, text("a"), end()})};
  world.open();
  EXPECT_EQ(call(10), 0);
  EXPECT_EQ(a.submitted, 1) << "nothing was left after the first";
  b.scripts = {dead};
  EXPECT_EQ(call(1), 0) << "the last resort";
  world.loops.advance(2'000);
  EXPECT_EQ(call(1), 0);
}

INSTANTIATE_TEST_SUITE_P(Threads, LimitTest, testing::Values(When::kNow, When::kElsewhere));

TEST_F(RoutingTest, RetriesHaveABudget) {
  world.add_model("m", {"a", "b", "c"}).retry_percent = 0;
  world.instance("a").eject_failures = 0;
  world.instance("b").eject_failures = 0;
  world.instance("c").eject_failures = 0;
  a.scripts = b.scripts = c.scripts = {dead};
  world.open();
  EXPECT_EQ(call(200), 200);
  EXPECT_EQ(a.submitted, 200);
  EXPECT_EQ(b.submitted + c.submitted, 100) << "the reserve";
  EXPECT_GT(world.metric("backplane_retries_refused_total"), 0);
}

TEST_F(RoutingTest, AttemptsOfAModelAreBounded) {
  world.add_model("m", {"a", "b", "c"}).attempts_max = 2;
  a.scripts = b.scripts = {dead};
  world.open();
  EXPECT_EQ(call(1), 1);
  EXPECT_EQ(c.submitted, 0);
}

TEST_F(RoutingTest, WithoutFallbacksOneIsTried) {
  world.add_model("m", {"a", "b"});
  a.scripts = {dead};
  world.open();
  EXPECT_EQ(call(1, R"({"model":"m","provider":{"allow_fallbacks":false}})"), 1);
  EXPECT_EQ(b.submitted, 0);
}

TEST_F(RoutingTest, ASilentBackendIsLeftForTheNext) {
  world.add_model("m", {"a", "b"});
  a.scripts = {Script({head({}), text("late").after(60'000), end()})};
  world.instance("a").first_event_timeout_ms = 1'000;
  world.open();
  Client client(world);
  client.begin();
  world.loops.advance(999);
  EXPECT_EQ(b.submitted, 0);
  world.loops.advance(1);
  EXPECT_EQ(client.log(), "head text:hi end");
  EXPECT_EQ(a.cancelled, 1);
  world.loops.run_to_the_end();
}

TEST_F(RoutingTest, AStreamThatHasBegunHasItsTime) {
  world.add_model("m", {"a", "b"});
  a.scripts = {Script({text("now"), text("late").after(60'000), end()})};
  world.instance("a").first_event_timeout_ms = 1'000;
  world.open();
  Client client(world);
  client.begin();
  world.loops.run_to_the_end();
  EXPECT_EQ(client.log(), "head text:now text:late end");
}

TEST_F(RoutingTest, SilenceUntilTheDeadlineIsAFailureOfTheBackend) {
  world.add_model("m", {"a", "b"});
  a.scripts = {Script({text("never").after(900'000), end()})};
  world.open();
  for (int i = 0; i < 5; ++i) {
    Client client(world);
    client.deadline_ns = world.loops.now_ns() + 1'000'000'000;
    client.begin();
    world.loops.advance(1'500);
    EXPECT_EQ(client.log(), "error:TIMEOUT/504");
  }
  EXPECT_EQ(call(10), 0);
  EXPECT_EQ(a.submitted, 5);
  world.loops.run_to_the_end();
}

TEST_F(RoutingTest, TheFastestLeavesASlowOne) {
  world.add_model("m", {"a", "b", "c"}).policy = RoutePolicy::kFastest;
  const auto taking = [](std::uint64_t ms) {
    return Script({text("1").after(ms), text("2").after(1), end().after(1)});
  };
  a.scripts = b.scripts = c.scripts = {taking(50)};
  world.open();
  const auto run = [&](int calls) {
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < calls; ++i) {
      clients.push_back(std::make_unique<Client>(world));
      clients.back()->begin();
      world.loops.advance(5);
    }
    world.loops.advance(10'000);
    for (const auto& client : clients) EXPECT_TRUE(client->ended());
  };
  run(300);
  EXPECT_GT(std::min({a.submitted, b.submitted, c.submitted}), 40);
  a.scripts = {taking(5'000)};
  const int before = a.submitted;
  run(600);
  EXPECT_LT(a.submitted - before, 60) << "those that wait tell, before any of them is answered";
}

TEST_F(RoutingTest, ALimitThatAdaptsMakesRoomElsewhere) {
  world.add_model("m", {"a", "b"});
  world.instance("a").limit.bound(1, 4);
  Script full{{error(Code::kResourceExhausted, 429)}};
  full.steps[0].error.retry_after_ms = 1;
  a.scripts = {full};
  world.open();
  for (int i = 0; i < 20; ++i) {
    call(1);
    world.loops.advance(1'000);
  }
  EXPECT_EQ(world.instance("a").limit.now(), 1U);
  a.scripts = {Script({text("a"), end().after(100)})};
  Client first(world), second(world);
  first.begin();
  world.run();
  const int before = a.submitted;
  second.begin();
  world.run();
  EXPECT_EQ(a.submitted, before);
  EXPECT_EQ(second.log(), "head text:hi end");
  world.loops.run_to_the_end();
}

TEST_F(RoutingTest, WhoAnsweredIsTold) {
  world.add_model("m", {"a", "b"});
  a.scripts = {dead};
  world.open();
  Client client(world);
  client.begin();
  world.run();
  auto headers = client.events().front().headers;
  EXPECT_EQ(headers["x-backplane-provider"], "b");
  EXPECT_EQ(headers["x-backplane-model"], "b-m");
  EXPECT_EQ(headers["x-backplane-attempts"], "2");
  b.scripts = {dead};
  Client failed(world);
  failed.begin();
  world.run();
  headers = failed.last().headers;
  EXPECT_EQ(headers["x-backplane-provider"], "b");
  EXPECT_EQ(headers["x-backplane-attempts"], "2");
}

TEST_F(RoutingTest, TheStateOfARouteOutlivesItsRouter) {
  RouteStates states;
  const auto state = states.state_of("a", "m");
  EXPECT_EQ(states.state_of("a", "m"), state);
  EXPECT_NE(states.state_of("a", "n"), state);
  EXPECT_NE(states.state_of("b", "m"), state);
  states.drop_unused();
  EXPECT_EQ(states.state_of("a", "m"), state);
}

}  // namespace
}  // namespace backplane::test
