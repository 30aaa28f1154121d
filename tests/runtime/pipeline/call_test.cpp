// SPDX-License-Identifier: Apache-2.0
// The rules of a call that every backend and transport relies on.
#include "tests/runtime/pipeline/world.hpp"

#include <gtest/gtest.h>

namespace backplane::test {
namespace {

class CallTest : public testing::Test {
 protected:
  CallTest() {
    a.scripts = {Script({text("hi"), end()})};
    model.price = {1'000'000, 2'000'000};  // 1 and 2 nano-USD a token
    world.add_model("m", {"a"}).price = model.price;
  }
  World world;
  ScriptedBackend& a = world.add_backend("a");
  ScriptedPayment& payment = world.add_payment("p");
  Model model;
};

TEST_F(CallTest, BeginEmitsNothing) {
  world.open();
  Client client(world);
  ASSERT_EQ(client.begin(), BP_CODE_OK);
  EXPECT_EQ(client.log(), "");
  EXPECT_EQ(a.submitted, 0);
  world.run();
  EXPECT_EQ(client.log(), "head text:hi end");
  EXPECT_EQ(payment.settled, 1);
}

TEST_F(CallTest, HeadTellsModelIdFlagsAndHeaders) {
  a.scripts = {Script({head({{"x-upstream", "1"}}), text("hi"), end()})};
  world.open();
  Client client(world);
  client.id = "call-1";
  client.begin(R"({"model":"m","stream":true,"stream_options":{"include_usage":true}})");
  world.run();
  const Client::Event& first = client.events().front();
  EXPECT_EQ(first.data, "m");
  EXPECT_EQ(first.detail, "call-1");
  EXPECT_EQ(first.flags, BP_REQUEST_STREAM | BP_REQUEST_USAGE);
  EXPECT_EQ(first.headers.at("x-upstream"), "1");
}

TEST_F(CallTest, BackendSeesItsOwnModelNameAndNoCredentials) {
  world.open();
  Client client(world);
  client.metadata = {{"authorization", "Bearer sk-1"}, {"x-payment", "p"},
                     {"payment-signature", "s"},       {"cookie", "c"},
                     {"proxy-authorization", "b"},     {"x-api-key", "k"},
                     {"accept-language", "de"}};
  client.begin(R"({"model":"m","max_tokens":7,"unknown":[1e5]})");
  world.run();
  EXPECT_EQ(a.last.model, "a-m");
  EXPECT_EQ(a.last.body, R"({"model":"m","max_tokens":7,"unknown":[1e5]})");
  EXPECT_EQ(a.last.operation, "chat.completions");
  EXPECT_EQ(a.last.max_output_tokens, 7U);
  EXPECT_EQ(a.last.metadata, (std::map<std::string, std::string>{{"accept-language", "de"}}));
  EXPECT_EQ(payment.last_metadata.at("authorization"), "Bearer sk-1");
  EXPECT_EQ(a.last.id.size(), 32U) << "made where the transport gave none";
}

struct ShapeCase {
  const char* name;
  std::vector<Step> steps;
  const char* log;
};
void PrintTo(const ShapeCase& shape, std::ostream* out) {
  *out << shape.name;
}

class ShapeTest : public testing::TestWithParam<ShapeCase> {};

TEST_P(ShapeTest, ArrivesWhereverItIsEmitted) {
  for (const When when : {When::kNow, When::kTurn, When::kElsewhere, When::kAfter}) {
    World world;
    ScriptedBackend& a = world.add_backend("a");
    world.add_model("m", {"a"});
    Script script;
    for (const Step& step : GetParam().steps) {
      script.steps.push_back(when == When::kAfter ? step.after(5) : step.at(when));
    }
    a.scripts = {script};
    world.open();
    Client client(world);
    client.begin();
    world.loops.advance(1000);
    EXPECT_EQ(client.log(), GetParam().log) << "when " << static_cast<int>(when);
    EXPECT_EQ(world.loops.timer_count(), 0U) << "the deadline's timer is left";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, ShapeTest,
    testing::Values(ShapeCase{"Empty", {end()}, "head end"},
                    ShapeCase{"Text", {text("a"), text("b"), end()}, "head text:a text:b end"},
                    ShapeCase{
                        "Logprobs",
                        {text_with_logprobs("a", "[1]"), text_with_logprobs("", "[2]"), end()},
                        "head text:a[1] text:[2] end"},
                    ShapeCase{"Tools",
                              {reasoning("so"), tool_call("id", "f", "{\"a"),
                               tool_call("", "", "\":1}"), end()},
                              "head reasoning:so tool:id/f:{\"a tool:/:\":1} end"},
                    ShapeCase{"Usage", {text("a"), usage(1, 2), end()}, "head text:a usage end"},
                    ShapeCase{"Fails", {error(Code::kInvalidArgument, 400)}, "error:SCRIPTED/400"},
                    ShapeCase{"FailsLate",
                              {text("a"), error(Code::kUnavailable, 503)},
                              "head text:a error:SCRIPTED/503"}),
    [](const auto& param) { return param.param.name; });

// Work of one plugin may begin on a thread of its own and end on the loop.
TEST_F(CallTest, EventsKeepTheirOrderAcrossThreads) {
  a.scripts = {Script({text("a").elsewhere(), text("b").at(When::kNow), text("c").elsewhere(),
                       end().at(When::kNow)})};
  world.open();
  Client client(world);
  client.begin();
  world.run();
  EXPECT_EQ(client.log(), "head text:a text:b text:c end");
}

TEST_F(CallTest, DeadlineIsAbsoluteAndPaysForWhatWasProduced) {
  a.scripts = {Script({text("a"), text("b").after(50), text("late").after(100'000), end()})};
  world.open();
  Client client(world);
  client.deadline_ns = world.loops.now_ns() + 100'000'000;
  client.begin();
  world.loops.advance(99);
  EXPECT_EQ(a.last.deadline_ns, client.deadline_ns);
  EXPECT_FALSE(client.ended());
  world.loops.advance(1);
  EXPECT_EQ(client.log(), "head text:a text:b error:TIMEOUT/504");
  EXPECT_EQ(a.cancelled, 1);
  EXPECT_EQ(payment.settled, 1);
  EXPECT_EQ(payment.last_amount_nano_usd, 4);
}

TEST_F(CallTest, DeadlineIsTheHostsWhereTheClientsIsLater) {
  world.options.call.call_timeout_ms = 1000;
  a.scripts = {Script({text("a").after(5000), end()})};
  world.open();
  Client client(world);
  client.deadline_ns = world.loops.now_ns() + 4'000'000'000;
  client.begin();
  world.loops.advance(1000);
  EXPECT_EQ(client.log(), "error:TIMEOUT/504");
  EXPECT_EQ(payment.released, 1) << "nothing was produced";
}

TEST_F(CallTest, DeadlineInThePastEndsTheCall) {
  a.scripts = {Script({text("a").after(1), end()})};
  world.open();
  Client client(world);
  client.deadline_ns = 1;
  client.begin();
  world.loops.advance(0);
  EXPECT_EQ(client.log(), "error:TIMEOUT/504");
}

TEST_F(CallTest, CancelIsIdempotentAndEndsTheBackend) {
  a.scripts = {Script({text("a"), text("b").after(1000), end()})};
  world.open();
  Client client(world);
  client.begin();
  world.run();
  client.cancel();
  client.cancel();
  world.run();
  client.cancel();
  EXPECT_EQ(client.log(), "head text:a error:CANCELLED/499");
  EXPECT_EQ(a.cancelled, 1);
  EXPECT_EQ(payment.settled, 1);
}

TEST_F(CallTest, ShutDownEndsEveryCall) {
  a.scripts = {Script({text("a"), text("b").after(1000), end()})};
  world.open();
  Client streaming(world), fresh(world);
  streaming.begin();
  world.run();
  fresh.begin();
  world.gateway->set_serving(false);
  world.gateway->shut_down_calls();
  world.run();
  EXPECT_EQ(streaming.log(), "head text:a error:SHUTTING_DOWN/503");
  EXPECT_TRUE(fresh.ended());
  Client late(world);
  EXPECT_EQ(late.begin(), BP_CODE_UNAVAILABLE);
  EXPECT_STREQ(late.begin_error.type, "NOT_READY");
  EXPECT_EQ(world.table().ready(world.table().context), 0U);
}

TEST_F(CallTest, RefusalsOfBegin) {
  world.options.calls_max = 1;
  world.open();
  const std::vector<std::tuple<const char*, std::uint32_t, const char*>> cases = {
      {"", BP_CODE_INVALID_ARGUMENT, "INVALID_REQUEST"},
      {"{", BP_CODE_INVALID_ARGUMENT, "INVALID_REQUEST"},
      {"{}", BP_CODE_INVALID_ARGUMENT, "MISSING_REQUIRED_PARAMETER"},
      {R"({"model":"x"})", BP_CODE_NOT_FOUND, "MODEL_NOT_FOUND"},
      {R"({"model":"m","provider":"x"})", BP_CODE_NOT_FOUND, "PROVIDER_NOT_FOUND"}};
  for (const auto& [body, code, type] : cases) {
    Client client(world);
    EXPECT_EQ(client.begin(body), code) << body;
    EXPECT_STREQ(client.begin_error.type, type) << body;
  }
  Client first(world), second(world);
  EXPECT_EQ(first.begin(), BP_CODE_OK);
  EXPECT_EQ(second.begin(), BP_CODE_UNAVAILABLE);
  EXPECT_STREQ(second.begin_error.type, "OVERLOADED");
  world.run();
}

TEST_F(CallTest, BeginOffItsLoopIsRefused) {
  world.open();
  const bp_gateway& gateway = world.table();
  bp_buffer body = make_buffer(R"({"model":"m"})");
  bp_request request{};
  request.struct_size = sizeof(bp_request);
  request.body = body;
  request.loop = world.loops.at(0);
  bp_sink sink{sizeof(bp_sink), 0, nullptr,
               [](void*, const bp_event*) -> std::uint32_t { return BP_FLOW_STOP; }};
  bp_call* call = nullptr;
  world.loops.elsewhere([&] {
    EXPECT_NE(gateway.begin(gateway.context, &request, &sink, &call, nullptr), BP_CODE_OK);
  });
  if (call != nullptr) call->release(call);
  body.release(body.owner);
}

TEST_F(CallTest, ModelsAndMetricsAreServed) {
  world.open();
  Client client(world);
  client.begin();
  world.run();
  const bp_gateway& gateway = world.table();
  bp_buffer out{};
  ASSERT_EQ(gateway.models(gateway.context, &out, nullptr), BP_CODE_OK);
  EXPECT_EQ(std::string(view(out)).rfind(R"([{"id":"m","object":"model","created":)", 0), 0U);
  out.release(out.owner);
  ASSERT_EQ(gateway.metrics(gateway.context, &out, nullptr), BP_CODE_OK);
  EXPECT_NE(view(out).find(R"(backplane_calls_total{model="m",outcome="ok"} 1)"),
            std::string_view::npos)
      << view(out);
  out.release(out.owner);
}

}  // namespace
}  // namespace backplane::test
