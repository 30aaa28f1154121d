// SPDX-License-Identifier: Apache-2.0
// Streams of chat that break off in their middle and go on at another backend.
#include "tests/runtime/pipeline/world.hpp"

#include <gtest/gtest.h>

namespace backplane::test {
namespace {

Step chunk(std::string data) {
  Step step = text(std::move(data));
  step.type = BP_EVENT_CHUNK;
  return step;
}
Step finish(std::string reason) {
  Step step = text(std::move(reason));
  step.type = BP_EVENT_FINISH;
  return step;
}
// As `id` answers.
Step said(const std::string& id, const std::string& delta, const std::string& more = "") {
  return chunk(
      R"({"id":")" + id + R"(","object":"chat.completion.chunk","created":7,"model":"far",)" +
      R"("choices":[{"index":0,"delta":)" + delta + R"(,"finish_reason":null)" + more + "}]}");
}
Step words(const std::string& id, const std::string& content) {
  return said(id, R"({"content":")" + content + R"("})");
}
Step stop(const std::string& id) {
  return chunk(R"({"id":")" + id +
               R"(","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})");
}
const Step kReset = error(Code::kUnavailable, 0);

class ContinuationTest : public testing::Test {
 protected:
  ContinuationTest() {
    Model& model = world.add_model("m", {"a", "b", "c"});
    model.continues_streams = true;
    model.price = {1'000'000'000, 1'000'000'000};
  }
  // What the client got as documents.
  static std::vector<std::string> documents(const Client& client) {
    std::vector<std::string> all;
    for (const Client::Event& event : client.events()) {
      if (event.type == BP_EVENT_CHUNK) all.push_back(event.data);
    }
    return all;
  }
  World world;
  ScriptedBackend& a = world.add_backend("a");
  ScriptedBackend& b = world.add_backend("b");
  ScriptedBackend& c = world.add_backend("c");
  ScriptedPayment& payment = world.add_payment("p");
  const std::string body =
      R"({"model":"m","stream":true,"max_tokens":50,"messages":[{"role":"user","content":"x"} ]})";
};

TEST_F(ContinuationTest, GoesOnFromWhatWasDelivered) {
  a.scripts = {Script({text("one "), text("\"two\" "), kReset})};
  b.scripts = {Script({head({}), text("three"), finish("stop"), usage(12, 1), end()})};
  world.open();
  Client client(world);
  client.begin(body);
  world.run();
  EXPECT_EQ(client.log(), "head text:one  text:\"two\"  chunk text:three finish usage end");
  EXPECT_EQ(b.last.body, R"({"model":"m","stream":true,"max_tokens":48,"messages":[{"role":"user",)"
                         R"("content":"x"},{"role":"assistant","content":"one \"two\" "} ]})");
  EXPECT_EQ(b.last.flags, BP_REQUEST_STREAM | BP_REQUEST_CONTINUE);
  EXPECT_EQ(b.last.max_output_tokens, 48U);
  EXPECT_EQ(b.last.model, "b-m");
  EXPECT_EQ(payment.asked, 1);
  // Two tokens were delivered before, which the second backend has read again.
  EXPECT_EQ(payment.last_tokens.first, 10U);
  EXPECT_EQ(payment.last_tokens.second, 3U);
  EXPECT_EQ(payment.last_amount_nano_usd, 13'000);
  EXPECT_EQ(world.metric("backplane_tokens_total{kind=\"completion\",model=\"m\"}"), 3);
  EXPECT_EQ(world.metric("backplane_fallbacks_total"), 1);
}

TEST_F(ContinuationTest, TheStreamSaysSo) {
  a.scripts = {Script({text("one "), kReset})};
  b.scripts = {Script({text("two"), end()})};
  world.open();
  Client client(world);
  client.id = "r1";
  client.begin(body);
  world.run();
  ASSERT_EQ(documents(client).size(), 1U);
  EXPECT_NE(
      documents(client)[0].find(
          R"("model":"m","choices":[{"index":0,"delta":{"content":""},"finish_reason":null}],)"
          R"("x_backplane":{"event":"failover","provider":"b","model":"b-m","attempts":2}})"),
      std::string::npos)
      << documents(client)[0];
  EXPECT_EQ(documents(client)[0].rfind(R"({"id":"chatcmpl-r1",)", 0), 0U);
}

TEST_F(ContinuationTest, DocumentsKeepTheIdentityOfTheFirst) {
  a.scripts = {Script({said("A", R"({"role":"assistant","content":""})"), words("A", "one\\n"),
                       words("A", "two "), usage(10, 2), kReset})};
  b.scripts = {
      Script({said("B", R"({"role":"assistant","content":""})"),
              said("B", R"({"reasoning_content":"hm"})"), words("B", "three"), stop("B"),
              usage(12, 4), chunk(R"({"choices":[],"usage":{"prompt_tokens":12}})"), end()})};
  world.open();
  Client client(world);
  client.begin(
      R"({"messages":[{"role":"user","content":[{"type":"text","text":"x"}]}],"model":"m",)"
      R"("stream":true,"stream_options":{"include_usage":true}})");
  world.run();
  const std::string opening =
      R"({"id":"A","object":"chat.completion.chunk","created":7,"model":"far",)";
  const std::vector<std::string> got = documents(client);
  ASSERT_EQ(got.size(), 7U) << client.log();
  EXPECT_NE(got[3].find("x_backplane"), std::string::npos);
  EXPECT_EQ(got[4], opening + R"("choices":[{"index":0,"delta":{"content":"three"},)"
                              R"("finish_reason":null}]})");
  EXPECT_EQ(got[5], opening + R"("choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})");
  EXPECT_EQ(got[6], opening + R"("choices":[],"usage":{"prompt_tokens":10,"completion_tokens":6,)"
                              R"("total_tokens":16,"prompt_tokens_details":{"cached_tokens":0},)"
                              R"("completion_tokens_details":{"reasoning_tokens":0}}})");
  EXPECT_NE(b.last.body.find(R"(,{"role":"assistant","content":"one\ntwo "}])"), std::string::npos)
      << b.last.body;
  EXPECT_EQ(payment.last_tokens.first, 10U);
  EXPECT_EQ(payment.last_tokens.second, 6U);
}

TEST_F(ContinuationTest, OverSeveralBackendsNothingIsCountedTwice) {
  a.scripts = {Script({text("1 "), text("2 "), kReset})};
  b.scripts = {Script({text("3 "), error(Code::kDataLoss)})};
  c.scripts = {Script({words("C", "4"), stop("C"), usage(8, 1), end()})};
  world.open();
  Client client(world);
  client.begin(body);
  world.run();
  EXPECT_EQ(client.log(), "head text:1  text:2  chunk text:3  chunk text:4 finish usage end");
  EXPECT_NE(c.last.body.find(R"("content":"1 2 3 ")"), std::string::npos);
  EXPECT_EQ(c.last.max_output_tokens, 47U);
  EXPECT_EQ(payment.last_tokens.first, 5U);
  EXPECT_EQ(payment.last_tokens.second, 4U);
}

TEST_F(ContinuationTest, WithoutAnyUsagePiecesAreCounted) {
  a.scripts = {Script({text("1 "), text("2 "), kReset})};
  b.scripts = {Script({text("3"), end()})};
  world.open();
  Client client(world);
  client.begin(body);
  world.run();
  EXPECT_EQ(payment.last_tokens.first, 0U);
  EXPECT_EQ(payment.last_tokens.second, 3U);
}

TEST_F(ContinuationTest, BeforeAnyTextTheRequestStaysAsItIs) {
  a.scripts = {Script({said("A", R"({"role":"assistant"})"), kReset})};
  b.scripts = {Script({said("B", R"({"role":"assistant"})"), words("B", "hi"), stop("B"), end()})};
  world.open();
  Client client(world);
  client.begin(body);
  world.run();
  EXPECT_EQ(client.last().type, BP_EVENT_END);
  EXPECT_EQ(b.last.body, body);
  EXPECT_EQ(b.last.flags, BP_REQUEST_STREAM);
}

TEST_F(ContinuationTest, ABackendThatStallsIsLeft) {
  Script stalls({text("one "), text("late").after(60'000), end()});
  a.scripts = {stalls};
  b.scripts = {Script({text("two"), end()})};
  world.instance("a").timeout_ms = 1'000;
  world.open();
  Client client(world);
  client.begin(body);
  world.loops.advance(1'000);
  EXPECT_EQ(client.log(), "head text:one  chunk text:two end");
  EXPECT_EQ(a.cancelled, 1);
  world.loops.run_to_the_end();
}

TEST_F(ContinuationTest, TriesAndBudgetBoundIt) {
  world.options.call.attempts_max = 2;
  a.scripts = b.scripts = {Script({text("x"), kReset})};
  world.open();
  Client client(world);
  client.begin(body);
  world.run();
  EXPECT_EQ(client.log(), "head text:x chunk text:x error:SCRIPTED/0");
  EXPECT_EQ(c.submitted, 0);
  EXPECT_EQ(payment.last_tokens.second, 2U) << "what was delivered is paid";
}

TEST_F(ContinuationTest, AClientThatLeavesMeanwhileEndsIt) {
  a.scripts = {Script({text("one "), kReset})};
  b.scripts = {Script({text("two").after(50), end()})};
  world.open();
  {
    Client client(world);
    client.begin(body);
    world.loops.advance(10);
    client.leave();
  }
  world.loops.run_to_the_end();
  EXPECT_EQ(b.cancelled, 1);
  EXPECT_EQ(payment.last_tokens.second, 1U);
}

TEST_F(ContinuationTest, AClientThatPausesHoldsUpTheNextBackendAsWell) {
  Script hasty({text("one "), kReset.turn()});
  hasty.keeps_pause = false;
  a.scripts = {hasty};
  b.scripts = {Script({text("two").turn(), text("three"), end()})};
  world.open();
  Client client(world);
  client.answer = [](Client& self, const Client::Event&) -> std::uint32_t {
    return self.events().size() == 2 ? BP_FLOW_PAUSE : BP_FLOW_CONTINUE;
  };
  client.begin(body);
  world.run();
  EXPECT_EQ(client.log(), "head text:one  chunk text:two");
  client.resume();
  world.run();
  EXPECT_EQ(client.log(), "head text:one  chunk text:two text:three end");
}

struct RefusedCase {
  std::string name;
  std::string body;
  std::vector<Step> steps;  // before the failure
};

class NotContinuedTest : public ContinuationTest,
                         public testing::WithParamInterface<RefusedCase> {};

TEST_P(NotContinuedTest, FailsAsWithoutIt) {
  const RefusedCase& given = GetParam();
  std::vector<Step> steps = given.steps;
  if (steps.empty()) steps = {text("one ")};
  steps.push_back(kReset);
  a.scripts = {Script(steps)};
  world.open();
  Client client(world);
  EXPECT_EQ(client.begin(given.body.empty() ? body : given.body), BP_CODE_OK);
  world.run();
  EXPECT_EQ(client.last().type, BP_EVENT_ERROR) << client.log();
  EXPECT_EQ(b.submitted, 0);
}

std::string asking(const std::string& more) {
  return R"({"model":"m","stream":true,"messages":[{"role":"user","content":"x"}],)" + more + '}';
}

INSTANTIATE_TEST_SUITE_P(
    All, NotContinuedTest,
    testing::Values(
        RefusedCase{"tools", asking(R"("tools":[{"type":"function"}])"), {}},
        RefusedCase{"schema", asking(R"("response_format":{"type":"json_object"})"), {}},
        RefusedCase{"choices", asking(R"("n":2)"), {}},
        RefusedCase{"logprobs", asking(R"("logprobs":true)"), {}},
        RefusedCase{"limit", asking(R"("max_tokens":1)"), {}},
        RefusedCase{
            "prefilled",
            R"({"model":"m","stream":true,"messages":[{"role":"assistant","content":"x"}]})",
            {}},
        RefusedCase{"no_messages", R"({"model":"m","stream":true})", {}},
        RefusedCase{"tool_call", "", {text("1"), tool_call("i", "f", "{")}},
        RefusedCase{"tool_call_document",
                    "",
                    {words("A", "1"), said("A", R"({"tool_calls":[{"index":0}]})")}},
        RefusedCase{"reasoning", "", {reasoning("hm")}},
        RefusedCase{"reasoning_document", "", {said("A", R"({"reasoning":"hm"})")}},
        RefusedCase{
            "second_choice", "", {chunk(R"({"choices":[{"index":1,"delta":{"content":"x"}}]})")}},
        RefusedCase{"logprobs_document",
                    "",
                    {said("A", R"({"content":"x"})", R"(,"logprobs":{"content":[]})")}},
        RefusedCase{"finished", "", {text("1"), finish("stop")}},
        RefusedCase{"finished_document", "", {words("A", "1"), stop("A")}},
        RefusedCase{"not_json", "", {words("A", "1"), chunk("{\"choices\":")}},
        RefusedCase{
            "too_long", "", {text(std::string(200'000, 'x')), text(std::string(80'000, 'y'))}}),
    [](const auto& given) { return given.param.name; });

TEST_F(ContinuationTest, WhatAsksForNothingMoreGoesOn) {
  a.scripts = {Script({text("one "), kReset})};
  world.open();
  Client client(world);
  client.begin(asking(R"("tools":[],"n":1,"logprobs":false,"response_format":{"type":"text"},)"
                      R"("max_completion_tokens":null)"));
  world.run();
  EXPECT_EQ(client.log(), "head text:one  chunk text:hi end");
}

TEST_F(ContinuationTest, WhatTheRequestGotWrongIsNotTriedElsewhere) {
  a.scripts = {Script({text("one "), error(Code::kInvalidArgument, 400)})};
  world.open();
  Client client(world);
  client.begin(body);
  world.run();
  EXPECT_EQ(client.log(), "head text:one  error:SCRIPTED/400");
}

}  // namespace
}  // namespace backplane::test
