// SPDX-License-Identifier: Apache-2.0
// Back-pressure: PAUSE and resume reach the backend, STOP cancels, and nothing grows without end.
#include "tests/runtime/pipeline/world.hpp"

#include <gtest/gtest.h>

namespace backplane::test {
namespace {

constexpr std::uint32_t kOverrunMax = Attempt::kOverrunMax;

std::vector<Step> many(std::size_t count, When when) {
  std::vector<Step> steps(count, text("x").at(when));
  steps.push_back(end().at(when));
  return steps;
}

// PAUSE at these events.
Client::Answer pause_at(std::vector<std::size_t> indexes) {
  return [indexes](Client& self, const Client::Event&) -> std::uint32_t {
    const std::size_t index = self.events().size() - 1;
    const bool found = std::find(indexes.begin(), indexes.end(), index) != indexes.end();
    return found ? BP_FLOW_PAUSE : BP_FLOW_CONTINUE;
  };
}

class FlowTest : public testing::TestWithParam<When> {
 protected:
  FlowTest() { world.add_model("m", {"a"}); }
  // A backend on another thread learns of a PAUSE from its next event.
  std::size_t late() const { return GetParam() == When::kElsewhere ? 1 : 0; }
  World world;
  ScriptedBackend& a = world.add_backend("a");
};

TEST_P(FlowTest, PauseHoldsTheBackendUntilResume) {
  a.scripts = {Script(many(6, GetParam()))};
  world.open();
  Client client(world);
  client.answer = pause_at({2, 4});
  client.begin();
  world.loops.advance(10);
  EXPECT_EQ(client.events().size(), 3 + late());
  client.resume();
  EXPECT_EQ(a.resumed, 1);
  world.loops.advance(10);
  EXPECT_EQ(client.events().size(), 5 + late());
  client.resume();
  world.loops.advance(10);
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(a.resumed, 2);
}

TEST_P(FlowTest, PauseOnTheHeadHolds) {
  a.scripts = {Script(many(6, GetParam()))};
  world.open();
  Client client(world);
  client.answer = pause_at({0});
  client.begin();
  world.loops.advance(10);
  EXPECT_EQ(client.events().size(), 2 + late()) << "the event behind the head, no more";
  client.resume();
  world.loops.advance(10);
  EXPECT_TRUE(client.ended());
}

TEST_P(FlowTest, ResumeWithoutPauseIsNothing) {
  a.scripts = {Script(many(2, GetParam()))};
  world.open();
  Client client(world);
  client.begin();
  client.resume();
  world.loops.advance(10);
  client.resume();
  EXPECT_EQ(a.resumed, 0);
  EXPECT_TRUE(client.ended());
}

// A transport may resume from inside emit; the backend may not be entered from inside its own.
TEST_P(FlowTest, ResumeInsideTheEmitThatFollowsAPause) {
  Script script(many(6, GetParam()));
  script.keeps_pause = false;
  a.scripts = {script};
  world.open();
  Client client(world);
  client.answer = [](Client& self, const Client::Event&) -> std::uint32_t {
    if (self.events().size() == 2) return BP_FLOW_PAUSE;
    if (self.events().size() == 4) self.resume();
    return BP_FLOW_CONTINUE;
  };
  client.begin();
  world.loops.advance(10);
  EXPECT_TRUE(client.ended());
}

TEST_P(FlowTest, OverrunIsBounded) {
  Script script(many(kOverrunMax + 10, GetParam()));
  script.keeps_pause = false;
  a.scripts = {script};
  world.open();
  Client client(world);
  client.answer = pause_at({1});
  client.begin();
  world.loops.advance(10);
  EXPECT_EQ(client.last().error.type, "BACKEND_PROTOCOL");
  EXPECT_EQ(client.events().size(), 2 + kOverrunMax + 1U);
  world.loops.run_to_the_end();
  EXPECT_EQ(a.released, 1);
}

TEST_P(FlowTest, OverrunUpToTheMaximumIsAllowed) {
  Script script(many(kOverrunMax, GetParam()));
  script.keeps_pause = false;
  a.scripts = {script};
  world.open();
  Client client(world);
  client.answer = pause_at({0});
  client.begin();
  world.loops.advance(10);
  EXPECT_EQ(client.last().type, BP_EVENT_END);
}

TEST_P(FlowTest, StopAtAnyEventCancels) {
  for (std::size_t index = 0; index < 4; ++index) {
    a.scripts = {Script(many(6, GetParam()))};
    if (world.gateway == nullptr) world.open();
    Client client(world);
    client.answer = [index](Client& self, const Client::Event&) -> std::uint32_t {
      return self.events().size() == index + 1 ? BP_FLOW_STOP : BP_FLOW_CONTINUE;
    };
    client.begin();
    world.loops.advance(10);
    EXPECT_EQ(client.last().error.type, "CANCELLED") << index;
    EXPECT_EQ(client.events().size(), index + 2);
  }
  EXPECT_EQ(a.released, 4);
}

// A transport that resumes while it is told of the end of a call it was slow with.
TEST_P(FlowTest, ResumeInsideTheTerminalEventIsNothing) {
  a.scripts = {Script(many(6, GetParam()))};
  world.open();
  Client client(world);
  client.answer = [](Client& self, const Client::Event& event) -> std::uint32_t {
    if (event.type == BP_EVENT_ERROR) self.resume();
    return self.events().size() == 2 ? BP_FLOW_PAUSE : BP_FLOW_CONTINUE;
  };
  client.begin();
  world.loops.advance(10);
  client.cancel();
  world.loops.advance(10);
  EXPECT_EQ(client.log(), late() != 0 ? "head text:x text:x error:CANCELLED/499"
                                      : "head text:x error:CANCELLED/499");
  EXPECT_EQ(a.released, 1);
}

INSTANTIATE_TEST_SUITE_P(Everywhere, FlowTest,
                         testing::Values(When::kNow, When::kTurn, When::kElsewhere));

// A backend that emits on another thread while the loop is busy elsewhere.
class FloodTest : public testing::Test {
 protected:
  struct Call : bp_call {
    FloodTest* test = nullptr;
  };
  FloodTest() {
    table_.struct_size = sizeof(bp_backend);
    table_.submit = [](void* self, const bp_request*, const bp_sink* given, bp_call** out,
                       bp_error*) -> std::uint32_t {
      auto* test = static_cast<FloodTest*>(self);
      test->sink = given;
      test->call_ = {
          {sizeof(bp_call), 0, [](bp_call* call) { ++static_cast<Call*>(call)->test->cancelled; },
           [](bp_call* call) { ++static_cast<Call*>(call)->test->resumed; },
           [](bp_call* call) { ++static_cast<Call*>(call)->test->released; }},
          test};
      *out = &test->call_;
      return BP_CODE_OK;
    };
    world.add_backend("a");
    world.instance("a").table = &table_;
    world.instance("a").self = this;
    world.add_model("m", {"a"});
    world.open();
    client.begin();
    world.run();
  }
  std::uint32_t emit(std::uint32_t type) {
    bp_event event{};
    event.struct_size = sizeof(bp_event);
    event.type = type;
    event.sequence = sequence++;
    std::uint32_t flow = 0;
    world.loops.elsewhere([&] { flow = sink->emit(sink->context, &event); });
    return flow;
  }
  World world;
  Client client{world};
  const bp_sink* sink = nullptr;
  std::uint64_t sequence = 0;
  int cancelled = 0, resumed = 0, released = 0;

 private:
  bp_backend table_{};
  Call call_{};
};

TEST_F(FloodTest, AFullQueuePausesAndResumes) {
  std::uint32_t count = 0;
  while (emit(BP_EVENT_TEXT) == BP_FLOW_CONTINUE) ASSERT_LT(++count, kOverrunMax);
  EXPECT_EQ(resumed, 0);
  world.run();
  EXPECT_EQ(resumed, 1);
  emit(BP_EVENT_END);
  world.run();
  EXPECT_EQ(client.last().type, BP_EVENT_END);
  EXPECT_EQ(client.events().size(), count + 3U);
  EXPECT_EQ(released, 1);
}

TEST_F(FloodTest, OverrunOfTheQueueStartsWhenTheBackendIsTold) {
  client.answer = pause_at({0});
  for (std::uint32_t i = 0; i < kOverrunMax / 2; ++i) {
    EXPECT_EQ(emit(BP_EVENT_TEXT), BP_FLOW_CONTINUE);
  }
  world.run();
  for (std::uint32_t i = 0; i < kOverrunMax; ++i) {
    EXPECT_EQ(emit(BP_EVENT_TEXT), BP_FLOW_PAUSE);
    if (i % 100 == 0) world.run();
  }
  emit(BP_EVENT_END);
  world.run();
  EXPECT_EQ(client.last().type, BP_EVENT_END) << client.last().error.message;
}

TEST_F(FloodTest, AQueueThatIsNotHeededEndsTheCall) {
  constexpr std::uint32_t kFlood = 100'000;
  std::uint32_t flow = 0;
  for (std::uint32_t i = 0; i < kFlood; ++i) flow = emit(BP_EVENT_TEXT);
  EXPECT_EQ(flow, BP_FLOW_STOP) << "told while the loop is still busy elsewhere";
  world.run();
  EXPECT_EQ(client.last().error.type, "BACKEND_PROTOCOL");
  EXPECT_LE(client.events().size(), 2 * kOverrunMax) << "the queue has no bound";
  EXPECT_EQ(cancelled, 1);
  emit(BP_EVENT_ERROR);
  world.run();
  EXPECT_EQ(released, 1);
}

}  // namespace
}  // namespace backplane::test
