// SPDX-License-Identifier: Apache-2.0
// A client may leave at any moment: the backend is cancelled, what was produced is paid once, and
// nothing is left over (the end of a World checks that).
#include "tests/runtime/pipeline/world.hpp"

#include <gtest/gtest.h>

namespace backplane::test {
namespace {

struct LeaveCase {
  When events;
  When cancel;
  bool inside;  // the emit, else between the events
  std::size_t index;
};
void PrintTo(const LeaveCase& c, std::ostream* out) {
  *out << "events " << static_cast<int>(c.events) << " cancel " << static_cast<int>(c.cancel)
       << (c.inside ? " inside " : " after ") << c.index;
}

std::vector<LeaveCase> leave_cases() {
  std::vector<LeaveCase> cases;
  for (const When events : {When::kNow, When::kTurn, When::kElsewhere, When::kAfter}) {
    for (const When cancel : {When::kNow, When::kTurn, When::kElsewhere, When::kAfter}) {
      for (const bool inside : {true, false}) {
        for (std::size_t index = 0; index < 5; ++index) {
          cases.push_back({events, cancel, inside, index});
        }
      }
    }
  }
  return cases;
}

class LeaveTest : public testing::TestWithParam<LeaveCase> {
 protected:
  // head, a, b, usage, end
  static Script script() {
    Script script;
    for (const Step& step : {text("a"), text("b"), usage(3, 2), end()}) {
      script.steps.push_back(GetParam().events == When::kAfter ? step.after(5)
                                                               : step.at(GetParam().events));
    }
    script.cancel_when = GetParam().cancel;
    script.cancel_delay_ms = 100;
    return script;
  }
};

TEST_P(LeaveTest, CancelsSettlesOnceAndLeavesNothing) {
  World world;
  ScriptedBackend& a = world.add_backend("a");
  ScriptedPayment& payment = world.add_payment("p");
  world.add_model("m", {"a"}).price = {1'000'000, 1'000'000};
  a.scripts = {script()};
  world.open();
  Client client(world);
  if (GetParam().inside) client.leave_at(GetParam().index);
  client.begin();
  if (GetParam().inside) {
    world.loops.run_to_the_end();
  } else {
    while (client.events().size() <= GetParam().index && world.loops.run_one()) {
    }
    for (int i = 0; i < 100 && client.events().size() <= GetParam().index; ++i) {
      world.loops.advance(1);
    }
    client.leave();
    world.loops.run_to_the_end();
  }
  ASSERT_TRUE(client.left());
  EXPECT_EQ(a.released, 1);
  EXPECT_EQ(payment.settled + payment.released, 1);
  EXPECT_EQ(world.loops.timer_count(), 0U);
  EXPECT_EQ(world.gateway->live_calls(), 0U);
  EXPECT_EQ(world.metric("backplane_leaked_calls_total"), 0.0);
  if (payment.settled == 1) {
    EXPECT_LE(payment.last_amount_nano_usd, 5);
    EXPECT_GE(payment.last_amount_nano_usd, 1);
  } else {
    EXPECT_LE(GetParam().index, 0U) << "something was produced and is not paid";
  }
}

INSTANTIATE_TEST_SUITE_P(Everywhere, LeaveTest, testing::ValuesIn(leave_cases()));

TEST(Leave, BeforeAnythingRan) {
  World world;
  ScriptedBackend& a = world.add_backend("a");
  ScriptedPayment& payment = world.add_payment("p");
  world.add_model("m", {"a"});
  world.open();
  Client client(world);
  client.begin();
  client.leave();
  world.run();
  EXPECT_EQ(a.submitted, 0);
  EXPECT_EQ(payment.asked, 0);
  EXPECT_EQ(world.gateway->live_calls(), 0U);
}

TEST(Leave, CancelThenReleaseBeforeAnythingRan) {
  World world;
  world.add_backend("a");
  world.add_model("m", {"a"});
  world.open();
  Client client(world);
  client.begin();
  client.cancel();
  client.leave();
  world.run();
  EXPECT_EQ(client.log(), "error:CANCELLED/499");
}

TEST(Leave, BetweenAFailureAndTheNextRoute) {
  World world;
  ScriptedBackend& a = world.add_backend("a");
  ScriptedBackend& b = world.add_backend("b");
  world.add_model("m", {"a", "b"});
  a.scripts = {Script({error(Code::kUnavailable)})};
  world.open();
  Client client(world);
  client.begin();
  while (a.submitted == 0 && world.loops.run_one()) {
  }
  client.leave();
  world.run();
  EXPECT_EQ(b.submitted, 0);
  EXPECT_EQ(a.released, 1);
}

TEST(Leave, PaysWhatTheBackendTellsBeforeItEnds) {
  World world;
  ScriptedBackend& a = world.add_backend("a");
  ScriptedPayment& payment = world.add_payment("p");
  world.add_model("m", {"a"}).price = {1'000'000, 1'000'000};
  Script script({text("a"), text("b").after(1000), end()});
  script.usage_on_cancel = true;
  script.cancel_when = When::kTurn;
  a.scripts = {script};
  world.open();
  Client client(world);
  client.leave_at(1);
  client.begin();
  world.run();
  EXPECT_EQ(payment.last_tokens, (std::pair<std::uint64_t, std::uint64_t>(7, 5)));
  EXPECT_EQ(payment.last_amount_nano_usd, 12);
}

TEST(Leave, ABackendThatNeverEndsIsCountedAndLeftBehind) {
  World world;
  ScriptedBackend& a = world.add_backend("a");
  ScriptedPayment& payment = world.add_payment("p");
  world.add_model("m", {"a"});
  Script script({text("a"), text("b").after(100'000), end()});
  script.ends_on_cancel = false;
  a.scripts = {script};
  world.open();
  Client client(world);
  client.leave_at(1);
  client.begin();
  world.loops.advance(world.options.call.cancel_grace_ms - 1);
  EXPECT_EQ(world.gateway->live_calls(), 1U);
  world.loops.advance(1);
  EXPECT_EQ(world.gateway->live_calls(), 0U);
  EXPECT_EQ(world.metric("backplane_leaked_calls_total"), 1.0);
  EXPECT_EQ(world.instance("a").leaked.load(), 1U);
  EXPECT_EQ(world.instance("a").in_flight.load(), 1U) << "it still occupies the backend";
  EXPECT_EQ(payment.settled, 1);
}

TEST(Leave, EventsOfABackendThatWasLeftBehindAreHarmless) {
  World world;
  ScriptedBackend& a = world.add_backend("a");
  ScriptedPayment& payment = world.add_payment("p");
  world.add_model("m", {"a"}).price = {1'000'000, 1'000'000};
  Script script({text("a"), text("late").after(5000), usage(9, 9), end()});
  script.keeps_stop = false;
  a.scripts = {script};
  world.open();
  Client client(world);
  client.begin();
  world.run();
  client.cancel();
  world.loops.advance(4000);
  EXPECT_EQ(world.instance("a").leaked.load(), 1U);
  EXPECT_EQ(payment.last_amount_nano_usd, 1);
  world.loops.run_to_the_end();
  EXPECT_EQ(client.log(), "head text:a error:CANCELLED/499");
  EXPECT_EQ(a.released, 1);
  EXPECT_EQ(world.instance("a").in_flight.load(), 0U);
}

// Also one that is left behind from inside submit counts.
TEST(Leave, LeavingInsideSubmitHasAGraceToo) {
  World world;
  ScriptedBackend& a = world.add_backend("a");
  world.add_model("m", {"a"});
  Script script({text("a"), text("b").after(1000), end()});
  script.ends_on_cancel = false;
  a.scripts = {script};
  world.open();
  Client client(world);
  client.leave_at(0);
  client.begin();
  world.loops.run_to_the_end();
  EXPECT_EQ(world.metric("backplane_leaked_calls_total"), 1.0);
}

}  // namespace
}  // namespace backplane::test
