// SPDX-License-Identifier: Apache-2.0
// Who pays: the order of the payments, what a refusal tells, and that every ALLOW has one end.
#include "tests/runtime/pipeline/world.hpp"

#include <gtest/gtest.h>

namespace backplane::test {
namespace {

Decision allow(When when = When::kNow, std::uint64_t delay_ms = 0) {
  Decision decision;
  decision.when = when;
  decision.delay_ms = delay_ms;
  return decision;
}
Decision deny(std::string message) {
  Decision decision;
  decision.verdict = BP_VERDICT_DENY;
  decision.message = std::move(message);
  decision.http_status = 403;
  return decision;
}
Decision challenge(std::string message) {
  Decision decision;
  decision.verdict = BP_VERDICT_CHALLENGE;
  decision.message = std::move(message);
  decision.headers = {{"payment-required", "e30="}};
  decision.body = "{}";
  return decision;
}

class PaymentTest : public testing::TestWithParam<When> {
 protected:
  PaymentTest() { world.add_model("m", {"a"}).price = {1'000'000, 1'000'000}; }
  // Plays one call to its end.
  void play() {
    world.open();
    client.begin();
    world.loops.run_to_the_end();
  }
  World world;
  ScriptedBackend& a = world.add_backend("a");
  ScriptedPayment& p = world.add_payment("p");
  ScriptedPayment& q = world.add_payment("q");
  Client client{world};
};

TEST_P(PaymentTest, TheFirstThatAllowsPays) {
  p.decisions = {deny("no account")};
  p.decisions[0].when = GetParam();
  q.decisions = {allow(GetParam(), 3)};
  play();
  EXPECT_EQ(client.log(), "head text:hi end");
  EXPECT_EQ(q.settled, 1);
  EXPECT_EQ(p.open(), 0);
}

TEST_P(PaymentTest, AChallengeIsToldRatherThanADenial) {
  p.decisions = {deny("no account")};
  q.decisions = {challenge("pay")};
  p.decisions[0].when = q.decisions[0].when = GetParam();
  play();
  EXPECT_EQ(client.log(), "error:SCRIPTED/402");
  EXPECT_EQ(client.last().error.message, "pay");
  EXPECT_EQ(client.last().headers.at("payment-required"), "e30=");
  EXPECT_EQ(client.last().data, "{}");
  EXPECT_EQ(client.last().detail, "application/json");
  EXPECT_EQ(a.submitted, 0);
}

TEST_P(PaymentTest, TheFirstChallengeIsTold) {
  p.decisions = {challenge("first")};
  q.decisions = {challenge("second")};
  p.decisions[0].when = q.decisions[0].when = GetParam();
  play();
  EXPECT_EQ(client.last().error.message, "first");
}

TEST_P(PaymentTest, TheFirstDenialIsTold) {
  p.decisions = {deny("first")};
  q.decisions = {deny("second")};
  p.decisions[0].when = q.decisions[0].when = GetParam();
  play();
  EXPECT_EQ(client.last().error.message, "first");
  EXPECT_EQ(world.metric(R"(backplane_calls_total{model="m",outcome="refused"})"), 1.0);
}

TEST_P(PaymentTest, AVerdictNobodyKnowsIsADenial) {
  p.decisions = {allow(GetParam())};
  p.decisions[0].verdict = 77;
  q.decisions = {deny("second")};
  play();
  EXPECT_EQ(client.last().error.http_status, 402U);
  EXPECT_EQ(a.submitted, 0);
}

TEST_P(PaymentTest, ALateAllowIsReleasedWhereTheClientHasLeft) {
  p.decisions = {allow(GetParam(), 50)};
  world.open();
  client.begin();
  world.loops.run_one();  // asks
  client.leave();
  world.loops.run_to_the_end();
  EXPECT_EQ(p.allowed, 1);
  EXPECT_EQ(p.released, GetParam() == When::kNow ? 0 : 1);
  EXPECT_EQ(p.open(), 0);
}

// Also while the transport still holds the call.
TEST_P(PaymentTest, ALateAllowIsReleasedWhereTheCallIsOver) {
  p.decisions = {allow(GetParam(), 50)};
  world.open();
  client.begin();
  world.loops.run_one();
  client.cancel();
  world.loops.run_to_the_end();
  EXPECT_EQ(p.open(), 0);
  EXPECT_EQ(q.asked, 0);
}

INSTANTIATE_TEST_SUITE_P(Everywhere, PaymentTest,
                         testing::Values(When::kNow, When::kTurn, When::kElsewhere, When::kAfter));

TEST_F(PaymentTest, APaymentThatIsDownRefuses) {
  p.decisions = {allow()};
  p.decisions[0].authorize_fails = true;
  q.decisions = p.decisions;
  play();
  EXPECT_EQ(client.last().error.http_status, 503U);
}

// Against the rules, but seen before anything of it is freed.
class RuleBreakingPayment : public PaymentTest {};

TEST_P(RuleBreakingPayment, WhatAFailedAuthorizeHoldsIsReleased) {
  p.decisions = {allow(GetParam())};
  p.decisions[0].authorize_fails = p.decisions[0].decides_all_the_same = true;
  q.decisions = {deny("second")};
  play();
  EXPECT_EQ(client.last().error.http_status, 503U);
  EXPECT_EQ(p.released, 1);
  EXPECT_EQ(a.submitted, 0);
}

TEST_P(RuleBreakingPayment, ASecondDecisionIsNotHeard) {
  p.decisions = {allow(GetParam())};
  p.decisions[0].decides_twice = true;
  play();
  EXPECT_EQ(client.log(), "head text:hi end");
  EXPECT_EQ(p.settled, 1);
}

INSTANTIATE_TEST_SUITE_P(Everywhere, RuleBreakingPayment,
                         testing::Values(When::kNow, When::kElsewhere));

TEST_F(PaymentTest, ADeadlineWhileNobodyDecides) {
  p.decisions = {allow(When::kAfter, 700'000)};
  world.open();
  client.begin();
  world.loops.advance(600'000);
  EXPECT_EQ(client.log(), "error:TIMEOUT/504");
  world.loops.advance(100'000);
  EXPECT_EQ(p.released, 1);
}

struct SettleCase {
  const char* name;
  std::vector<Step> steps;
  std::int64_t amount;  // -1: released
};
void PrintTo(const SettleCase& c, std::ostream* out) {
  *out << c.name;
}

class SettleTest : public testing::TestWithParam<SettleCase> {};

TEST_P(SettleTest, PaysForWhatWasProduced) {
  World world;
  ScriptedBackend& a = world.add_backend("a");
  ScriptedPayment& payment = world.add_payment("p");
  world.add_model("m", {"a"}).price = {2'000'000, 3'000'000};
  a.scripts = {Script(GetParam().steps)};
  world.open();
  Client client(world);
  client.begin();
  world.run();
  EXPECT_EQ(payment.settled, GetParam().amount < 0 ? 0 : 1);
  EXPECT_EQ(payment.released, GetParam().amount < 0 ? 1 : 0);
  EXPECT_EQ(payment.last_amount_nano_usd, GetParam().amount);
}

INSTANTIATE_TEST_SUITE_P(
    Amounts, SettleTest,
    testing::Values(SettleCase{"Usage", {text("a"), usage(10, 20), end()}, 80},
                    SettleCase{"LastUsage", {usage(10, 1), text("a"), usage(10, 20), end()}, 80},
                    SettleCase{"Pieces", {text("a"), text("b"), end()}, 6},
                    SettleCase{"Nothing", {end()}, -1},
                    SettleCase{"UsageOfNothing", {usage(0, 0), end()}, -1},
                    SettleCase{"FailedWithNothing", {error(Code::kInvalidArgument)}, -1},
                    SettleCase{"FailedInVain", {usage(10, 20), error(Code::kUnavailable)}, -1},
                    SettleCase{"FailedLate", {text("a"), error(Code::kUnavailable)}, 3},
                    SettleCase{"Wraps", {usage(UINT64_MAX, 1), end()}, INT64_MAX}),
    [](const auto& param) { return param.param.name; });

TEST(Charge, AMaximumIsToldOnlyWhereThereIsOne) {
  World world;
  world.add_backend("a");
  ScriptedPayment& payment = world.add_payment("p");
  world.add_model("m", {"a"}).price = {1'000'000, 1'000'000};
  world.open();
  const std::string limited = R"({"model":"m","max_tokens":100})";
  Client first(world), second(world);
  first.begin(limited);
  world.run();
  EXPECT_EQ(payment.last_amount_max_nano_usd, static_cast<std::int64_t>(limited.size()) + 100);
  second.begin(R"({"model":"m"})");
  world.run();
  EXPECT_EQ(payment.last_amount_max_nano_usd, 0) << "the output has no bound";
}

}  // namespace
}  // namespace backplane::test
