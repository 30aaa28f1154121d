// SPDX-License-Identifier: Apache-2.0
// Which backend serves a call, and when the next one is tried.
#include "tests/runtime/pipeline/world.hpp"

#include <gtest/gtest.h>

namespace backplane::test {
namespace {

enum class Failing { kSubmit, kEvent, kLater, kElsewhere };

struct FallbackCase {
  Code code;
  std::uint32_t http_status;
  bool tries_next;
};

class FallbackTest : public testing::TestWithParam<std::tuple<FallbackCase, Failing>> {};

TEST_P(FallbackTest, FollowsTheError) {
  const auto& [failure, failing] = GetParam();
  World world;
  ScriptedBackend& a = world.add_backend("a");
  ScriptedBackend& b = world.add_backend("b");
  ScriptedPayment& payment = world.add_payment("p");
  world.add_model("m", {"a", "b"});
  Script script;
  const Step terminal = error(failure.code, failure.http_status);
  if (failing == Failing::kSubmit) script.submit_error = terminal.error;
  if (failing == Failing::kEvent) script.steps = {head({{"x-from", "a"}}), terminal};
  if (failing == Failing::kLater) script.steps = {head({{"x-from", "a"}}), terminal.turn()};
  if (failing == Failing::kElsewhere) script.steps = {terminal.elsewhere()};
  a.scripts = {script};
  b.scripts = {Script({head({{"x-also", "b"}}), text("b"), end()})};
  world.open();
  Client client(world);
  client.begin();
  world.run();
  EXPECT_EQ(b.submitted, failure.tries_next ? 1 : 0);
  EXPECT_EQ(payment.asked, 1) << "a fallback is not authorized again";
  EXPECT_EQ(world.metric("backplane_fallbacks_total"), failure.tries_next ? 1.0 : 0.0);
  if (failure.tries_next) {
    EXPECT_EQ(client.log(), "head text:b end");
    EXPECT_EQ(client.events().front().headers.count("x-from"), 0U);
    EXPECT_EQ(client.events().front().headers.count("x-also"), 1U);
    EXPECT_EQ(b.last.model, "b-m");
  } else {
    EXPECT_EQ(client.log(), "error:SCRIPTED/" + std::to_string(failure.http_status));
    EXPECT_EQ(payment.released, 1);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Errors, FallbackTest,
    testing::Combine(testing::Values(FallbackCase{Code::kUnavailable, 0, true},
                                     FallbackCase{Code::kInternal, 500, true},
                                     FallbackCase{Code::kUnavailable, 503, true},
                                     FallbackCase{Code::kResourceExhausted, 429, true},
                                     FallbackCase{Code::kInvalidArgument, 400, false},
                                     FallbackCase{Code::kUnauthenticated, 401, false},
                                     FallbackCase{Code::kNotFound, 404, false},
                                     FallbackCase{Code::kInvalidArgument, 0, false}),
                     testing::Values(Failing::kSubmit, Failing::kEvent, Failing::kLater,
                                     Failing::kElsewhere)));

class RoutesTest : public testing::Test {
 protected:
  World world;
  ScriptedBackend& a = world.add_backend("a", 1);
  ScriptedBackend& b = world.add_backend("b");
};

TEST_F(RoutesTest, NeverAfterSomethingReachedTheClient) {
  world.add_model("m", {"a", "b"});
  a.scripts = {Script({text("a"), error(Code::kUnavailable, 503)})};
  world.open();
  Client client(world);
  client.begin();
  world.run();
  EXPECT_EQ(client.log(), "head text:a error:SCRIPTED/503");
  EXPECT_EQ(b.submitted, 0);
}

TEST_F(RoutesTest, ABackendWithoutTheModelIsNotTheClientsFault) {
  world.add_model("m", {"a", "b"});
  Step terminal = error(Code::kNotFound, 404);
  terminal.error.type = "MODEL_NOT_FOUND";
  a.scripts = {Script({terminal})};
  b.scripts = {Script({text("b"), end()})};
  world.open();
  Client client(world);
  client.begin();
  world.run();
  EXPECT_EQ(client.log(), "head text:b end");
}

TEST_F(RoutesTest, UsageIsNothingThatReachedTheClient) {
  ScriptedPayment& payment = world.add_payment("p");
  world.add_model("m", {"a", "b"}).price = {1'000'000, 1'000'000};
  a.scripts = {Script({usage(1000, 2000), error(Code::kUnavailable, 503)})};
  b.scripts = {Script({text("b"), end()})};
  world.open();
  Client client(world);
  client.begin();
  world.run();
  EXPECT_EQ(client.log(), "head text:b end");
  EXPECT_EQ(payment.last_amount_nano_usd, 1) << "what failed is not paid";
}

TEST_F(RoutesTest, UsageBeforeAnythingElseFollowsTheHead) {
  world.add_model("m", {"a"});
  a.scripts = {Script({usage(3, 0), end()})};
  world.open();
  Client client(world);
  client.begin();
  world.run();
  EXPECT_EQ(client.log(), "head usage end");
}

TEST_F(RoutesTest, TheLastFailureIsTold) {
  world.add_model("m", {"a", "b"});
  a.scripts = {Script({error(Code::kUnavailable, 502)})};
  b.scripts = {Script({error(Code::kUnavailable, 503)})};
  world.open();
  Client client(world);
  client.begin();
  world.run();
  EXPECT_EQ(client.log(), "error:SCRIPTED/503");
}

TEST_F(RoutesTest, AttemptsAreBounded) {
  world.options.call.attempts_max = 3;
  world.add_model("m", std::vector<std::string>(10, "b"));
  b.scripts = {Script({error(Code::kUnavailable)})};
  world.open();
  Client client(world);
  client.begin();
  world.run();
  EXPECT_EQ(b.submitted, 3);
}

TEST_F(RoutesTest, ACodeWithoutAWordStillFollowsTheCode) {
  world.add_model("m", {"a", "b"});
  Script script;
  script.submit_error.code = Code::kUnavailable;
  script.submit_says_why = false;
  a.scripts = {script};
  b.scripts = {script};
  world.open();
  Client client(world);
  client.begin();
  world.run();
  EXPECT_EQ(b.submitted, 1);
  EXPECT_EQ(client.last().error.code, Code::kUnavailable);
  EXPECT_NE(client.last().error.message, "");
}

TEST_F(RoutesTest, AnErrorEventWithoutAWordFails) {
  world.add_model("m", {"b"});
  Step silent = error(Code::kUnavailable);
  silent.without_error = true;
  b.scripts = {Script({silent})};
  world.open();
  Client client(world);
  client.begin();
  world.run();
  EXPECT_EQ(client.last().error.code, Code::kInternal);
}

TEST_F(RoutesTest, ABusyBackendIsPassedBy) {
  world.add_model("m", {"a", "b"});
  world.add_model("only", {"a"});
  a.scripts = {Script({text("a"), end().after(100)})};
  world.open();
  Client first(world), second(world), third(world);
  first.begin();
  world.run();
  second.begin();
  third.begin(R"({"model":"only"})");
  world.run();
  EXPECT_EQ(a.submitted, 1);
  EXPECT_EQ(second.log(), "head text:hi end");
  EXPECT_EQ(third.log(), "error:BACKEND_BUSY/429");
  EXPECT_GT(third.last().error.retry_after_ms, 0U);
  world.loops.advance(100);
  EXPECT_TRUE(first.ended());
  Client fourth(world);
  fourth.begin();
  world.run();
  EXPECT_EQ(a.submitted, 2);
  world.loops.run_to_the_end();
}

TEST_F(RoutesTest, AProviderIsPinned) {
  world.add_model("m", {"a", "b"});
  b.scripts = {Script({error(Code::kUnavailable)})};
  world.open();
  Client client(world);
  client.begin(R"({"model":"m","provider":"b"})");
  world.run();
  EXPECT_EQ(a.submitted, 0) << "also not as a fallback";
  EXPECT_EQ(b.submitted, 1);
}

TEST_F(RoutesTest, WeightsShareTheCalls) {
  Model& model = world.add_model("m", {"a", "b"});
  model.policy = RoutePolicy::kWeighted;
  model.routes[0].weight = 1;
  model.routes[1].weight = 3;
  world.open();
  constexpr int kCalls = 4000;
  for (int i = 0; i < kCalls; ++i) {
    Client client(world);
    client.begin();
    world.run();
  }
  EXPECT_EQ(a.submitted + b.submitted, kCalls);
  EXPECT_NEAR(a.submitted, kCalls / 4, 120);  // more than four standard deviations
}

TEST_F(RoutesTest, AWeightOfZeroIsOnlyAFallback) {
  Model& model = world.add_model("m", {"a", "b"});
  model.policy = RoutePolicy::kWeighted;
  model.routes[0].weight = 0;
  b.scripts = {Script({text("b"), end()}), Script({error(Code::kUnavailable)})};
  world.open();
  Client first(world), second(world);
  first.begin();
  world.run();
  EXPECT_EQ(a.submitted, 0);
  second.begin();
  world.run();
  EXPECT_EQ(a.submitted, 1);
}

TEST(Router, AModelThatIsNamedTwiceKeepsItsIndexInRange) {
  BackendInstance backend;
  std::vector<Model> models(3);
  models[0].name = models[1].name = "m";
  models[2].name = "n";
  const Router router(models);
  for (const auto& [name, model] : router.models()) {
    EXPECT_LT(model.index, router.models().size()) << name;
  }
}

TEST(Router, AMessageIsUtf8) {
  const Router router({});
  std::string name(99, 'a');
  name += "\xC3\xA9";
  const auto found = router.find(name);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().message.find('\xC3'), std::string::npos);
}

TEST(Cost, IsRoundedUpOnceAndSaturates) {
  EXPECT_EQ(cost_nano_usd({1, 0}, 1, 0), 1);
  EXPECT_EQ(cost_nano_usd({500'000, 500'000}, 1, 1), 1);
  EXPECT_EQ(cost_nano_usd({1'000'000, 2'000'000}, 3, 4), 11);
  EXPECT_EQ(cost_nano_usd({0, 0}, UINT64_MAX, UINT64_MAX), 0);
  EXPECT_EQ(cost_nano_usd({INT64_MAX, INT64_MAX}, UINT64_MAX, UINT64_MAX), INT64_MAX);
}

TEST(RouterFind, NamesTheNearestModelWhereOneIsNear) {
  std::vector<Model> models(2);
  models[0].name = "org/llama-3.3";
  models[1].name = "tiny-chat";
  const Router router(std::move(models));
  EXPECT_EQ(router.find("tiny-caht").error().message,
            "the model \"tiny-caht\" does not exist; GET /v1/models lists those that do; did you "
            "mean \"tiny-chat\"?");
  EXPECT_EQ(router.find("gpt-4").error().message,
            "the model \"gpt-4\" does not exist; GET /v1/models lists those that do");
}

// The backend may heed its deadline or not: after timeout_ms the next one is asked.
class TimeoutTest : public testing::TestWithParam<bool> {
 protected:
  World world;
  ScriptedBackend& a = world.add_backend("a");
  ScriptedBackend& b = world.add_backend("b");
  Client client{world};
};

TEST_P(TimeoutTest, ABackendHasItsTimeThenTheNextOneIsAsked) {
  world.add_model("m", {"a", "b"});
  Script slow({text("late").after(5000), end()});
  slow.ends_on_cancel = GetParam();
  a.scripts = {slow};
  world.instance("a").timeout_ms = 1000;
  world.open();
  client.begin();
  world.loops.advance(999);
  EXPECT_EQ(b.submitted, 0);
  world.loops.advance(1);
  EXPECT_EQ(a.cancelled, 1);
  EXPECT_EQ(client.log(), "head text:hi end");
  world.loops.run_to_the_end();
  EXPECT_EQ(world.instance("a").leaked.load(), GetParam() ? 0U : 1U);
}

TEST_P(TimeoutTest, AStreamThatRunsIntoItEndsWithAnError) {
  world.add_model("m", {"a", "b"});
  Script slow({text("a"), text("late").after(5000), end()});
  slow.ends_on_cancel = GetParam();
  a.scripts = {slow};
  world.instance("a").timeout_ms = 1000;
  world.open();
  client.begin();
  world.loops.advance(1000);
  EXPECT_EQ(client.log(), "head text:a error:TIMEOUT/504");
  EXPECT_EQ(b.submitted, 0);
  world.loops.run_to_the_end();
}

INSTANTIATE_TEST_SUITE_P(EndsOnCancel, TimeoutTest, testing::Bool());

TEST(Timeout, IsForgottenWithTheAttempt) {
  World world;
  world.add_backend("a");
  world.add_model("m", {"a"});
  world.instance("a").timeout_ms = 1000;
  world.open();
  Client client(world);
  client.begin();
  world.run();
  world.loops.advance(2000);
  EXPECT_EQ(client.log(), "head text:hi end");
}

// Three backends: one that says nothing of its operations, one that embeds, one that speaks.
TEST(Operations, OnlyBackendsThatOfferItAreTried) {
  struct Case {
    std::string operation;
    std::string provider;
    std::string tried;
    std::string type;
  };
  for (const Case& given : std::vector<Case>{
           {"embeddings", "", "embeds", ""},
           {"audio.speech", "", "speaks", ""},
           {"rerank", "", "", "OPERATION_NOT_SUPPORTED"},
           {"embeddings", "embeds", "embeds", ""},
           {"embeddings", "speaks", "", "OPERATION_NOT_SUPPORTED"},
           {"embeddings", "nobody", "", "PROVIDER_NOT_FOUND"},
       }) {
    SCOPED_TRACE(given.operation + " at " + given.provider);
    World world;
    ScriptedBackend& embeds = world.add_backend("embeds");
    ScriptedBackend& speaks = world.add_backend("speaks");
    world.instance("embeds").operations = {"chat.completions", "embeddings"};
    world.instance("speaks").operations = {"audio.speech"};
    world.add_model("m", {"embeds", "speaks"});
    world.open();
    Client client(world);
    client.operation = given.operation;
    const std::string pinned = given.provider.empty() ? "null" : '"' + given.provider + '"';
    const std::uint32_t code = client.begin(R"({"model":"m","provider":)" + pinned + "}");
    world.run();
    EXPECT_EQ(embeds.submitted, given.tried == "embeds" ? 1 : 0);
    EXPECT_EQ(speaks.submitted, given.tried == "speaks" ? 1 : 0);
    EXPECT_EQ(code == BP_CODE_OK, given.type.empty());
    EXPECT_EQ(client.begin_error.type, given.type);
    if (given.type != "OPERATION_NOT_SUPPORTED") continue;
    EXPECT_EQ(client.begin_error.http_status, 404U);
    const std::string message = client.begin_error.message;
    EXPECT_NE(message.find("\"m\" does not offer the operation \"" + given.operation + '"'),
              std::string::npos);
  }
}

}  // namespace
}  // namespace backplane::test
