// SPDX-License-Identifier: Apache-2.0
// The health of a route by what its calls met, under a clock that the test moves.
#include "runtime/pipeline/routing/route_state.hpp"

#include "runtime/pipeline/routing/concurrency_limit.hpp"
#include "runtime/pipeline/routing/prefix_hash.hpp"
#include "runtime/pipeline/routing/retry_budget.hpp"

#include <gtest/gtest.h>

#include <string>

namespace backplane::test {
namespace {

constexpr std::int64_t kMs = 1'000'000;

class RouteStateTest : public testing::Test {
 protected:
  RouteTry begin(bool is_probe = false) {
    const RouteTry given{0, now, 0, is_probe, false, 0};
    state.begin(given);
    return given;
  }
  void end(const RouteTry& given, AttemptOutcome outcome, std::uint64_t retry_after_ms = 0) {
    state.end(given, outcome, retry_after_ms, rules, now);
  }
  void call(AttemptOutcome outcome, int times = 1) {
    for (int i = 0; i < times; ++i) end(begin(), outcome);
  }
  std::string health() const { return name_of(state.health(now)); }
  void pass_ms(std::int64_t ms) { now += ms * kMs; }

  RouteState state{"a"};
  EjectionRules rules{3, 1'000};
  std::int64_t now = 1'000'000 * kMs;
};

TEST_F(RouteStateTest, FailuresInARowEject) {
  call(AttemptOutcome::kUnavailable, 2);
  call(AttemptOutcome::kOk);
  call(AttemptOutcome::kTimeout, 2);
  EXPECT_EQ(health(), "good");
  call(AttemptOutcome::kCut);
  EXPECT_EQ(health(), "ejected");
  EXPECT_EQ(state.ejections(), 1U);
  EXPECT_EQ(state.until_ns(now), now + 1'000 * kMs);
}

TEST_F(RouteStateTest, WhatIsNotItsFaultDoesNot) {
  for (const AttemptOutcome outcome :
       {AttemptOutcome::kRefused, AttemptOutcome::kCancelled, AttemptOutcome::kBusy}) {
    call(outcome, 50);
  }
  EXPECT_EQ(health(), "good");
}

TEST_F(RouteStateTest, NeverIsNever) {
  rules.failures = 0;
  call(AttemptOutcome::kFailed, 100);
  EXPECT_EQ(health(), "good");
}

TEST_F(RouteStateTest, EveryOtherFailureEjectsAsWell) {
  for (int i = 0; i < 20 && health() == "good"; ++i) {
    call(AttemptOutcome::kFailed);
    if (health() == "good") call(AttemptOutcome::kOk);
  }
  EXPECT_EQ(health(), "ejected");
}

TEST_F(RouteStateTest, OneProbeReadmitsOrEjectsForTwiceAsLong) {
  call(AttemptOutcome::kUnavailable, 3);
  std::int64_t ejected_ms = 1'000;
  for (int i = 0; i < 4; ++i) {
    pass_ms(ejected_ms - 1);
    EXPECT_EQ(health(), "ejected");
    pass_ms(1);
    EXPECT_EQ(health(), "probe_due");
    ASSERT_TRUE(state.take_probe());
    EXPECT_FALSE(state.take_probe());
    EXPECT_EQ(health(), "ejected") << "while it is on its way";
    end(begin(true), AttemptOutcome::kUnavailable);
    ejected_ms *= 2;
    EXPECT_EQ(state.until_ns(now), now + ejected_ms * kMs);
  }
  pass_ms(ejected_ms);
  ASSERT_TRUE(state.take_probe());
  end(begin(true), AttemptOutcome::kOk);
  EXPECT_EQ(health(), "good");
}

TEST_F(RouteStateTest, AProbeThatSaysNothingMakesRoomForAnother) {
  call(AttemptOutcome::kUnavailable, 3);
  pass_ms(1'000);
  ASSERT_TRUE(state.take_probe());
  end(begin(true), AttemptOutcome::kCancelled);
  EXPECT_EQ(health(), "probe_due");
}

TEST_F(RouteStateTest, TheTimeIsBoundedAndForgotten) {
  call(AttemptOutcome::kUnavailable, 3);
  for (int i = 0; i < 40; ++i) {
    now = state.until_ns(now);
    ASSERT_TRUE(state.take_probe());
    end(begin(true), AttemptOutcome::kUnavailable);
  }
  EXPECT_EQ(state.until_ns(now), now + RouteState::kEjectionMostMs * kMs);
  now = state.until_ns(now);
  ASSERT_TRUE(state.take_probe());
  end(begin(true), AttemptOutcome::kOk);
  pass_ms(120'000);
  call(AttemptOutcome::kUnavailable, 3);
  EXPECT_EQ(state.until_ns(now), now + 1'000 * kMs);
}

TEST_F(RouteStateTest, OnlyAnAnswerBegunSinceReadmits) {
  const RouteTry before = begin();
  pass_ms(10);
  call(AttemptOutcome::kUnavailable, 3);
  pass_ms(10);
  end(before, AttemptOutcome::kOk);
  EXPECT_EQ(health(), "ejected");
  end(begin(), AttemptOutcome::kOk);  // the last resort of a call
  EXPECT_EQ(health(), "good");
}

TEST_F(RouteStateTest, ALimitLastsAsLongAsItSays) {
  end(begin(), AttemptOutcome::kRateLimited, 2'500);
  EXPECT_EQ(health(), "limited");
  pass_ms(2'499);
  EXPECT_EQ(health(), "limited");
  pass_ms(1);
  EXPECT_EQ(health(), "good");
}

TEST_F(RouteStateTest, ALimitWithoutATimeIsLongerEachTime) {
  end(begin(), AttemptOutcome::kRateLimited);
  EXPECT_EQ(state.until_ns(now), now + 1'000 * kMs);
  end(begin(), AttemptOutcome::kRateLimited);
  EXPECT_EQ(state.until_ns(now), now + 2'000 * kMs);
  call(AttemptOutcome::kOk);
  end(begin(), AttemptOutcome::kRateLimited);
  EXPECT_EQ(state.until_ns(now), now + 1'000 * kMs);
}

TEST_F(RouteStateTest, WhatIsLeftOfALimitIsHeeded) {
  struct Case {
    std::uint64_t requests, requests_ms, tokens, tokens_ms;
    std::int64_t limited_ms;
  };
  constexpr std::uint64_t kUnknown = BP_RATE_UNKNOWN;
  for (const Case& given : std::vector<Case>{{1, 500, 1, 500, 0},
                                             {kUnknown, kUnknown, kUnknown, kUnknown, 0},
                                             {0, 500, 1, 900, 500},
                                             {7, 500, 0, 900, 900},
                                             {0, 500, 0, 900, 900},
                                             {0, kUnknown, 5, 5, 1'000},
                                             {0, 1ULL << 62U, 5, 5, RouteState::kLimitMostMs}}) {
    RouteState fresh("a");
    const bp_rate_limit limit{sizeof(bp_rate_limit), 0,        kUnknown,     given.requests,
                              given.requests_ms,     kUnknown, given.tokens, given.tokens_ms};
    fresh.heed(limit, now);
    const std::int64_t until = given.limited_ms == 0 ? 0 : now + given.limited_ms * kMs;
    EXPECT_EQ(fresh.until_ns(now), until) << given.requests << ' ' << given.tokens;
  }
}

TEST(RetryBudget, IsAReserveAShareAndAFewASecond) {
  RetryBudget budget;
  constexpr std::int64_t kSecond = 1'000 * kMs;
  int taken = 0;
  while (budget.withdraw(kSecond)) ++taken;
  EXPECT_EQ(taken, 100);
  for (int i = 0; i < 10; ++i) budget.deposit(20);
  EXPECT_TRUE(budget.withdraw(kSecond));
  EXPECT_TRUE(budget.withdraw(kSecond));
  EXPECT_FALSE(budget.withdraw(kSecond));
  taken = 0;
  while (budget.withdraw(3 * kSecond)) ++taken;
  EXPECT_EQ(taken, 20);
}

TEST(RetryBudget, WhatCallsSaveUpIsBounded) {
  RetryBudget budget;
  for (int i = 0; i < 100'000; ++i) budget.deposit(100);
  int taken = 0;
  while (budget.withdraw(1)) ++taken;
  EXPECT_EQ(taken, 1'000);
}

TEST(ConcurrencyLimit, GrowsByRoundsAndIsCutOnceForOneFault) {
  ConcurrencyLimit limit;
  limit.went_well(100);
  EXPECT_EQ(limit.now(), 0U) << "off until it has bounds";
  limit.bound(2, 20);
  EXPECT_EQ(limit.now(), 20U);
  std::int64_t now = 1'000 * kMs;
  for (int i = 0; i < 50; ++i) limit.was_too_much(now);
  EXPECT_EQ(limit.now(), 16U);
  for (int i = 0; i < 60; ++i) limit.was_too_much(now += 1'000 * kMs);
  EXPECT_EQ(limit.now(), 2U);
  limit.went_well(0);
  EXPECT_EQ(limit.now(), 2U) << "it was not reached";
  for (int i = 0; i < 3; ++i) limit.went_well(2);
  EXPECT_EQ(limit.now(), 3U);
  for (int i = 0; i < 1'000; ++i) limit.went_well(20);
  EXPECT_EQ(limit.now(), 20U);
}

TEST(ConcurrencyLimit, WhatWasLearnedGoesOnWithinTheBounds) {
  ConcurrencyLimit before;
  before.bound(1, 100);
  for (std::int64_t i = 1; i < 10; ++i) before.was_too_much(i * 1'000 * kMs);
  ConcurrencyLimit after;
  after.adopt(before);
  after.bound(1, 200);
  EXPECT_EQ(after.now(), before.now());
  after.bound(1, 5);
  EXPECT_EQ(after.now(), 5U);
  after.bound(0, 0);
  EXPECT_EQ(after.now(), 0U);
}

TEST(PrefixHash, IsOfTheEndsAndTheSize) {
  const std::string text(5'000, 'x');
  std::string other = text;
  other[0] = 'y';
  EXPECT_NE(prefix_hash_of(text), prefix_hash_of(other));
  other = text;
  other.back() = 'y';
  EXPECT_NE(prefix_hash_of(text), prefix_hash_of(other));
  EXPECT_NE(prefix_hash_of(text), prefix_hash_of(text + 'x'));
  EXPECT_EQ(prefix_hash_of(text), prefix_hash_of(std::string(5'000, 'x')));
  EXPECT_NE(prefix_hash_of(""), 0U);
  EXPECT_EQ(hash_of("conversation"), 18038179681296941583U) << "the same in every process";
}

}  // namespace
}  // namespace backplane::test
