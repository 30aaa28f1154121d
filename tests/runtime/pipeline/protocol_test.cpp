// SPDX-License-Identifier: Apache-2.0
// Backends that break the rules of a stream: the call ends with an error, the plugin is told to
// stop, and neither the call nor the backend's place is lost.
#include "tests/runtime/pipeline/world.hpp"

#include <gtest/gtest.h>

namespace backplane::test {
namespace {

Step shifted(Step step, std::int64_t shift) {
  step.sequence_shift = shift;
  return step;
}
Step shortened(Step step, std::uint32_t size) {
  step.struct_size = size;
  return step;
}

Step without_tool_call(std::uint32_t size) {
  Step step = tool_call("id", "f", "{}");
  step.tool_call_size = size;
  return step;
}

struct BreachCase {
  const char* name;
  std::vector<Step> steps;
};
void PrintTo(const BreachCase& c, std::ostream* out) {
  *out << c.name;
}

class BreachTest : public testing::TestWithParam<std::tuple<BreachCase, When>> {
 protected:
  BreachTest() {
    world.add_model("m", {"a"});
    Script script;
    for (const Step& step : std::get<0>(GetParam()).steps) {
      script.steps.push_back(step.at(std::get<1>(GetParam())));
    }
    a.scripts = {script};
  }
  World world;
  ScriptedBackend& a = world.add_backend("a", 1);
};

TEST_P(BreachTest, EndsTheCallOnce) {
  ScriptedPayment& payment = world.add_payment("p");
  world.open();
  Client client(world);
  client.begin();
  world.run();
  ASSERT_TRUE(client.ended());
  EXPECT_EQ(client.last().error.type, "BACKEND_PROTOCOL");
  EXPECT_EQ(client.last().error.http_status, 502U);
  EXPECT_EQ(payment.open(), 0);
  EXPECT_EQ(a.released, 1);
  EXPECT_EQ(world.instance("a").in_flight.load(), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Breaches, BreachTest,
    testing::Combine(
        testing::Values(BreachCase{"Gap", {text("a"), shifted(text("b"), 1), text("c"), end()}},
                        BreachCase{"Again", {text("a"), shifted(text("b"), -1), end()}},
                        BreachCase{"GapAtOnce", {shifted(text("a"), 5), end()}},
                        BreachCase{"GapAtTheEnd", {text("a"), shifted(end(), 1)}},
                        BreachCase{"Short", {text("a"), shortened(text("b"), 64), end()}},
                        BreachCase{"Empty", {text("a"), shortened(text("b"), 0), end()}},
                        BreachCase{"NoToolCall", {text("a"), without_tool_call(0), end()}},
                        BreachCase{"ShortToolCall", {text("a"), without_tool_call(8), end()}},
                        BreachCase{"TwoReceipts", {receipt("{}"), receipt("{}"), end()}},
                        BreachCase{"LongReceipt", {receipt(std::string(65'537, ' ')), end()}},
                        BreachCase{"ShortEnd", {text("a"), shortened(end(), 64)}}),
        testing::Values(When::kNow, When::kTurn, When::kElsewhere)));

TEST(Protocol, ABreachBeforeAnythingWasSentTriesTheNextRoute) {
  World world;
  ScriptedBackend& a = world.add_backend("a");
  world.add_backend("b");
  world.add_model("m", {"a", "b"});
  a.scripts = {Script({shifted(text("a"), 1), end().turn()})};
  world.open();
  Client client(world);
  client.begin();
  world.run();
  EXPECT_EQ(client.log(), "head text:hi end");
}

TEST(Protocol, ABreakerThatNeverEndsIsCounted) {
  World world;
  ScriptedBackend& a = world.add_backend("a");
  world.add_model("m", {"a"});
  Script script({text("a"), shifted(text("b"), 1), text("c").after(1000), end()});
  script.ends_on_cancel = false;
  a.scripts = {script};
  world.open();
  Client client(world);
  client.begin();
  world.loops.run_to_the_end();
  EXPECT_EQ(client.last().error.type, "BACKEND_PROTOCOL");
  EXPECT_EQ(world.instance("a").leaked.load(), 1U);
  EXPECT_EQ(world.metric("backplane_leaked_calls_total"), 1.0);
}

class StrayTest : public testing::TestWithParam<When> {};

TEST_P(StrayTest, EventsAfterTheEndAreDropped) {
  World world;
  ScriptedBackend& a = world.add_backend("a");
  world.add_model("m", {"a"});
  Script script({text("a").at(GetParam()), end().at(GetParam())});
  script.stray_after_end = true;
  a.scripts = {script};
  world.open();
  Client client(world);
  client.begin();
  world.run();
  EXPECT_EQ(client.log(), "head text:a end");
  EXPECT_EQ(a.released, 1);
}

INSTANTIATE_TEST_SUITE_P(Everywhere, StrayTest,
                         testing::Values(When::kNow, When::kTurn, When::kElsewhere));

struct SubmitCase {
  const char* name;
  std::vector<Step> steps;
  bool gives_call;  // false: submit answers OK without a call; true: it fails
  const char* log;  // with a second route that works
};
void PrintTo(const SubmitCase& c, std::ostream* out) {
  *out << c.name;
}

class SubmitTest : public testing::TestWithParam<SubmitCase> {};

TEST_P(SubmitTest, IsOverWithTheCall) {
  World world;
  ScriptedBackend& a = world.add_backend("a", 1);
  ScriptedBackend& b = world.add_backend("b");
  ScriptedPayment& payment = world.add_payment("p");
  world.add_model("m", {"a", "b"});
  Script script(GetParam().steps);
  if (GetParam().gives_call) script.submit_error = error(Code::kUnavailable, 503).error;
  script.gives_call = GetParam().gives_call;
  a.scripts = {script};
  world.open();
  Client client(world);
  client.begin();
  world.loops.advance(10);
  EXPECT_EQ(client.log(), GetParam().log);
  EXPECT_LE(b.submitted, 1);
  EXPECT_EQ(payment.open(), 0);
  world.loops.run_to_the_end();
  EXPECT_EQ(world.instance("a").in_flight.load(), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Submits, SubmitTest,
    testing::Values(
        SubmitCase{"NoCall", {}, false, "head text:hi end"},
        SubmitCase{"NoCallHead", {head({})}, false, "head text:hi end"},
        SubmitCase{"NoCallText", {text("a")}, false, "head text:a error:BACKEND_PROTOCOL/502"},
        SubmitCase{"NoCallEnd", {text("a"), end()}, false, "head text:a end"},
        SubmitCase{"Fails", {}, true, "head text:hi end"},
        SubmitCase{"FailsHead", {head({{"x-a", "1"}})}, true, "head text:hi end"},
        SubmitCase{"FailsText", {text("a")}, true, "head text:a error:BACKEND_PROTOCOL/502"},
        SubmitCase{"FailsEnd", {text("a"), end()}, true, "head text:a end"},
        SubmitCase{"FailsError", {error(Code::kUnavailable, 503)}, true, "head text:hi end"}),
    [](const auto& param) { return param.param.name; });

TEST(Protocol, HeadsWithoutEndAreBounded) {
  World world;
  ScriptedBackend& a = world.add_backend("a");
  world.add_model("m", {"a"});
  std::vector<std::pair<std::string, std::string>> headers;
  for (int i = 0; i < 60; ++i) headers.emplace_back("x-" + std::to_string(i), "1");
  auto more = headers;
  for (auto& [name, value] : more) name += "-more";
  a.scripts = {Script({head(headers), head(more), text("a"), head(more), end()})};
  world.open();
  Client client(world);
  client.begin();
  world.run();
  EXPECT_EQ(client.log(), "head text:a end");
  EXPECT_EQ(client.events().front().headers.size(), 64U + 4U);
}

TEST(Protocol, UsageOfAnotherSizeIsPassedOnAsOurs) {
  World world;
  ScriptedBackend& a = world.add_backend("a");
  ScriptedPayment& payment = world.add_payment("p");
  world.add_model("m", {"a"});
  Step newer = usage(1, 1);
  newer.usage_size = sizeof(bp_usage) + 8;
  a.scripts = {Script({newer, end()})};
  world.open();
  Client client(world);
  client.begin();
  world.run();
  EXPECT_EQ(payment.settled, 1);  // checks struct_size
}

TEST(Protocol, EventsNobodyKnowsArePassedOnAndNotPaid) {
  World world;
  ScriptedBackend& a = world.add_backend("a");
  ScriptedPayment& payment = world.add_payment("p");
  world.add_model("m", {"a"});
  Step unknown = text("?");
  unknown.type = 99;
  a.scripts = {Script({unknown, end()})};
  world.open();
  Client client(world);
  client.begin();
  world.run();
  EXPECT_EQ(client.log(), "head unknown end");
  EXPECT_EQ(payment.released, 1);
}

}  // namespace
}  // namespace backplane::test
