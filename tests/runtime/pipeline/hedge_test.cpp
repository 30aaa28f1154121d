// SPDX-License-Identifier: Apache-2.0
// Streamed calls that try a second backend where the first one is late, in virtual time.
#include "tests/runtime/pipeline/world.hpp"

#include <gtest/gtest.h>

namespace backplane::test {
namespace {

class HedgeTest : public testing::Test {
 protected:
  HedgeTest() {
    Model& model = world.add_model("m", {"a", "b", "c"});
    model.hedge.percent = 10;
    model.hedge.after_ms = 100;
    model.price = {0, 1'000'000'000};
  }
  static Script answers_after(std::uint64_t ms, const std::string& what) {
    return Script({head({{"x-from", what}}), text(what).after(ms), text("2"), end()});
  }
  double hedges() const { return world.metric("backplane_hedges_total"); }
  double hedges_won() const { return world.metric("backplane_hedges_won_total"); }

  World world;
  ScriptedBackend& a = world.add_backend("a");
  ScriptedBackend& b = world.add_backend("b");
  ScriptedBackend& c = world.add_backend("c");
  ScriptedPayment& payment = world.add_payment("p");
};

TEST_F(HedgeTest, TheFirstToAnswerServesAndTheOtherIsCancelled) {
  a.scripts = {answers_after(5'000, "a")};
  b.scripts = {answers_after(20, "b")};
  world.open();
  Client client(world);
  client.begin();
  world.loops.advance(99);
  EXPECT_EQ(b.submitted, 0);
  world.loops.advance(1);
  EXPECT_EQ(b.submitted, 1);
  world.loops.advance(20);
  EXPECT_EQ(client.log(), "head text:b text:2 end");
  const auto& headers = client.events().front().headers;
  EXPECT_EQ(headers.at("x-from"), "b");
  EXPECT_EQ(headers.at("x-backplane-provider"), "b");
  EXPECT_EQ(headers.at("x-backplane-attempts"), "2");
  EXPECT_EQ(a.cancelled, 1);
  EXPECT_EQ(a.live(), 0);
  EXPECT_EQ(payment.settled, 1);
  EXPECT_EQ(payment.last_amount_nano_usd, 2'000) << "the loser is not charged";
  EXPECT_EQ(hedges(), 1);
  EXPECT_EQ(hedges_won(), 1);
  EXPECT_EQ(world.metric(R"(backplane_attempts_total{backend="a",outcome="cancelled"})"), 1);
  EXPECT_EQ(world.metric(R"(backplane_attempts_total{backend="b",outcome="ok"})"), 1);
}

TEST_F(HedgeTest, TheFirstOneMayStillWin) {
  a.scripts = {answers_after(150, "a")};
  b.scripts = {answers_after(5'000, "b")};
  world.open();
  Client client(world);
  client.begin();
  world.loops.advance(150);
  EXPECT_EQ(client.log(), "head text:a text:2 end");
  EXPECT_EQ(client.events().front().headers.at("x-from"), "a");
  EXPECT_EQ(b.cancelled, 1);
  EXPECT_EQ(hedges_won(), 0);
}

TEST_F(HedgeTest, WhatIsInTimeIsNotHedged) {
  a.scripts = {answers_after(99, "a")};
  world.open();
  Client client(world);
  client.begin();
  world.loops.advance(500);
  EXPECT_EQ(client.log(), "head text:a text:2 end");
  EXPECT_EQ(b.submitted, 0);
}

TEST_F(HedgeTest, WhereOneFailsTheOtherGoesOn) {
  a.scripts = {Script({error(Code::kUnavailable, 503).after(150)})};
  b.scripts = {answers_after(200, "b"), Script({error(Code::kUnavailable, 503).after(20)})};
  world.open();
  Client first(world);
  first.begin();
  world.loops.advance(300);
  EXPECT_EQ(first.log(), "head text:b text:2 end");
  EXPECT_EQ(c.submitted, 0) << "no third one is needed";
  a.scripts = {answers_after(300, "a")};
  Client second(world);
  second.begin();
  world.loops.advance(300);
  EXPECT_EQ(second.log(), "head text:a text:2 end");
}

TEST_F(HedgeTest, WhereBothFailTheNextIsTried) {
  a.scripts = {Script({error(Code::kUnavailable, 503).after(150)})};
  b.scripts = {Script({error(Code::kUnavailable, 503).after(100)})};
  world.open();
  Client client(world);
  client.begin();
  world.loops.advance(300);
  EXPECT_EQ(client.log(), "head text:hi end");
  EXPECT_EQ(c.submitted, 1);
}

TEST_F(HedgeTest, WhatTheRequestGotWrongEndsBoth) {
  a.scripts = {Script({error(Code::kInvalidArgument, 400).after(150)})};
  b.scripts = {answers_after(200, "b")};
  world.open();
  Client client(world);
  client.begin();
  world.loops.advance(150);
  EXPECT_EQ(client.log(), "error:SCRIPTED/400");
  EXPECT_EQ(b.cancelled, 1);
}

TEST_F(HedgeTest, AnAnswerInsideItsSubmitWins) {
  a.scripts = {answers_after(5'000, "a")};
  b.scripts = {Script({text("now"), end()})};
  world.open();
  Client client(world);
  client.begin();
  world.loops.advance(100);
  EXPECT_EQ(client.log(), "head text:now end");
}

TEST_F(HedgeTest, ARivalThatIsNotTakenChangesNothing) {
  a.scripts = {answers_after(200, "a")};
  Script refuses;
  refuses.submit_error = {Code::kUnavailable, "no", "NO", 503, 0};
  b.scripts = {refuses};
  world.open();
  Client client(world);
  client.begin();
  world.loops.advance(200);
  EXPECT_EQ(client.log(), "head text:a text:2 end");
}

TEST_F(HedgeTest, AClientThatLeavesEndsBoth) {
  a.scripts = {answers_after(5'000, "a")};
  b.scripts = {answers_after(5'000, "b")};
  world.open();
  {
    Client client(world);
    client.begin();
    world.loops.advance(150);
  }
  world.run();
  EXPECT_EQ(a.cancelled, 1);
  EXPECT_EQ(b.cancelled, 1);
  EXPECT_EQ(payment.released, 1);
}

TEST_F(HedgeTest, ALoserThatDoesNotEndHoldsNothingUp) {
  Script deaf = answers_after(5'000, "a");
  deaf.ends_on_cancel = false;
  deaf.keeps_stop = true;
  a.scripts = {deaf};
  world.open();
  Client client(world);
  client.begin();
  world.loops.advance(100);
  EXPECT_EQ(client.log(), "head text:hi end");
  client.leave();
  world.loops.advance(10'000);
  EXPECT_EQ(world.instance("a").leaked.load(), 1U);
}

TEST_F(HedgeTest, OnlyAShareOfTheCalls) {
  world.instance("a").eject_slower = 0;
  a.scripts = {answers_after(1'000, "a")};
  world.open();
  for (int i = 0; i < 200; ++i) {
    Client client(world);
    client.begin();
    world.loops.advance(1'000);
    EXPECT_TRUE(client.ended());
  }
  EXPECT_EQ(hedges(), 10 + 20) << "the reserve and a tenth";
}

TEST_F(HedgeTest, NeverWhatIsNoStream) {
  a.scripts = {answers_after(1'000, "a")};
  world.open();
  Client client(world);
  client.begin(R"({"model":"m"})");
  world.loops.advance(1'000);
  EXPECT_EQ(b.submitted, 0);
}

TEST_F(HedgeTest, NeverToOneThatIsLeftOut) {
  for (ScriptedBackend* each : {&b, &c}) each->scripts = {Script({error(Code::kUnavailable, 503)})};
  world.open();
  for (int i = 0; i < 5; ++i) {
    for (const char* pinned : {"b", "c"}) {
      Client client(world);
      client.begin(R"({"model":"m","provider":")" + std::string(pinned) + "\"}");
      world.run();
    }
  }
  const int before = b.submitted + c.submitted;
  a.scripts = {answers_after(1'000, "a")};
  Client client(world);
  client.begin();
  world.loops.advance(1'000);
  EXPECT_EQ(client.log(), "head text:a text:2 end");
  EXPECT_EQ(b.submitted + c.submitted, before);
}

TEST(Hedge, AfterWhatTheRouteSeldomTakesLongerThan) {
  World world;
  ScriptedBackend& a = world.add_backend("a");
  ScriptedBackend& b = world.add_backend("b");
  world.add_model("m", {"a", "b"}).hedge.percent = 100;
  a.scripts = {Script({text("a").after(50), end()})};
  world.open();
  const auto call = [&](std::uint64_t ms) {
    Client client(world);
    client.begin();
    world.loops.advance(ms);
    return client.log();
  };
  a.scripts = {Script({text("a").after(500), end()})};
  call(1'000);
  EXPECT_EQ(b.submitted, 0) << "nothing is known yet";
  a.scripts = {Script({text("a").after(50), end()})};
  for (int i = 0; i < 1'000; ++i) call(50);
  const int before = b.submitted;
  a.scripts = {Script({text("a").after(5'000), end()})};
  EXPECT_EQ(call(100), "head text:hi end");
  EXPECT_EQ(b.submitted, before + 1);
}

TEST(Hedge, FiveLostInARowLeaveTheRouteOut) {
  World world;
  ScriptedBackend& a = world.add_backend("a");
  ScriptedBackend& b = world.add_backend("b");
  Model& model = world.add_model("m", {"a", "b"});
  model.hedge.percent = 5;
  model.hedge.after_ms = 100;
  a.scripts = {Script({text("never").after(100'000), end()})};
  world.open();
  for (int i = 0; i < 50; ++i) {
    Client client(world);
    client.begin();
    world.loops.advance(100);
    EXPECT_EQ(client.log(), "head text:hi end") << i;
  }
  EXPECT_EQ(a.submitted, 5);
  EXPECT_EQ(b.submitted, 50);
}

}  // namespace
}  // namespace backplane::test
