// SPDX-License-Identifier: Apache-2.0
// Which route is chosen, under measurements that are given and chances that are drawn from a seed.
#include "runtime/pipeline/routing/route_choice.hpp"

#include <gtest/gtest.h>

#include <list>
#include <map>
#include <random>

namespace backplane::test {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kSecond = 1000 * kMs;
constexpr int kCalls = 2000;

// Routes named "a", "b", ... to backends of the same names.
class Market {
 public:
  explicit Market(std::size_t count, RoutePolicy policy = RoutePolicy::kOrdered) {
    model_.name = "m";
    model_.policy = policy;
    for (std::size_t i = 0; i < count; ++i) {
      backends_.emplace_back();
      backends_.back().name = std::string(1, static_cast<char>('a' + i));
      model_.routes.push_back({&backends_.back(), "m", 1});
      states_.push_back(std::make_shared<RouteState>(backends_.back().name));
      model_.routes.back().state = states_.back();
    }
  }
  Model& model() { return model_; }
  RouteState& state(std::size_t index) { return *states_[index]; }
  BackendInstance& backend(std::size_t index) { return *model_.routes[index].backend; }

  // Answers of a route, one after the other, each of so many tokens.
  void measure(std::size_t index, std::int64_t first_event_ms, std::int64_t ms_per_token,
               int answers = 20) {
    constexpr std::uint64_t kTokens = 100;
    for (int i = 0; i < answers; ++i) {
      RouteTry given{0, now, 0, false, true, kTokens};
      state(index).begin(given);
      given.first_event_ns = now + first_event_ms * kMs;
      state(index).first_event(given);
      state(index).end(
          given, AttemptOutcome::kOk, 0, {},
          given.first_event_ns + static_cast<std::int64_t>(kTokens) * ms_per_token * kMs);
    }
    now += kSecond;
  }
  void fail(std::size_t index, int times) {
    for (int i = 0; i < times; ++i) {
      const RouteTry given{0, now, 0, false, false, 0};
      state(index).begin(given);
      state(index).end(given, AttemptOutcome::kUnavailable, 0, {}, now);
    }
  }
  void limit(std::size_t index, std::uint64_t ms) {
    const RouteTry given{0, now, 0, false, false, 0};
    state(index).begin(given);
    state(index).end(given, AttemptOutcome::kRateLimited, ms, {}, now);
  }

  // The routes of one call, as they would be tried: "ab". A probe is in capitals.
  std::string tried(const ProviderPreferences& preferences = {}, RouteRequest request = {}) {
    auto choice = RouteChoice::make(model_, request, preferences);
    if (!choice) return choice.error().type;
    std::string names;
    while (choice->has_next()) {
      const RouteChoice::Pick pick = choice->next({0, now, random()});
      std::string name = pick.route->backend->name;
      if (pick.is_probe) {
        name[0] = static_cast<char>(std::toupper(name[0]));
        pick.route->state->give_back_probe();
      }
      names += name;
    }
    return names;
  }
  // How often each route is first.
  std::map<char, int> firsts(RouteRequest request = {}) {
    std::map<char, int> counts;
    for (int i = 0; i < kCalls; ++i) ++counts[tried({}, request)[0]];
    return counts;
  }

  std::int64_t now = 100 * kSecond;
  std::mt19937_64 random{7};

 private:
  std::list<BackendInstance> backends_;
  std::vector<std::shared_ptr<RouteState>> states_;
  Model model_;
};

TEST(RouteChoice, OrderedIsAsWritten) {
  Market market(4);
  EXPECT_EQ(market.tried(), "abcd");
}

TEST(RouteChoice, WhatIsNotGoodComesLastTheSoonestFirst) {
  Market market(4);
  market.limit(0, 30'000);
  market.fail(1, 5);  // for five seconds
  market.backend(2).calls_max = 1;
  ASSERT_TRUE(market.backend(2).try_enter());
  EXPECT_EQ(market.tried(), "dbac");
  market.backend(2).leave();
  EXPECT_EQ(market.tried(), "cdba");
}

TEST(RouteChoice, OneThatIsDueIsProbedInItsPlaceByCallsThatCanBeRepeated) {
  Market market(3);
  market.fail(0, 5);
  market.fail(2, 5);
  EXPECT_EQ(market.tried(), "bac");
  market.now += 6 * kSecond;
  EXPECT_EQ(market.tried(), "Abc");
  RouteRequest once;
  once.is_repeatable = false;
  EXPECT_EQ(market.tried({}, once), "bac");
  ASSERT_TRUE(market.state(0).take_probe());
  EXPECT_EQ(market.tried(), "bac") << "one probe at a time";
}

TEST(RouteChoice, WeightsShareTheFirstTries) {
  Market market(3, RoutePolicy::kWeighted);
  market.model().routes[1].weight = 3;
  market.model().routes[2].weight = 0;
  const auto counts = market.firsts();
  EXPECT_NEAR(counts.at('a'), kCalls / 4, 100);
  EXPECT_EQ(counts.count('c'), 0U);
}

TEST(RouteChoice, TheFastestOfTwoIsTaken) {
  Market market(3, RoutePolicy::kFastest);
  market.measure(0, 400, 10);
  market.measure(1, 100, 10);
  market.measure(2, 200, 10);
  auto counts = market.firsts();
  EXPECT_NEAR(counts['b'], kCalls * 2 / 3, 100) << "wherever it is drawn";
  EXPECT_NEAR(counts['c'], kCalls / 3, 100);
  EXPECT_EQ(counts['a'], 0) << "there is always a better one";
}

TEST(RouteChoice, TokensPerSecondCountAsMuchAsTheirNumberSays) {
  Market market(2, RoutePolicy::kFastest);
  market.measure(0, 100, 40);  // quick to begin, slow to go on
  market.measure(1, 900, 10);
  EXPECT_EQ(market.firsts()['b'], kCalls);
  RouteRequest brief;
  brief.max_output_tokens = 5;
  EXPECT_EQ(market.firsts(brief)['a'], kCalls);
}

TEST(RouteChoice, TheSpeedOfOtherLoopsIsHeard) {
  Market market(2, RoutePolicy::kFastest);
  market.measure(0, 400, 10);
  market.measure(1, 100, 10);
  market.now += kSecond;
  auto choice = RouteChoice::make(market.model(), {}, {});
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->next({5, market.now, UINT64_MAX}).route->backend->name, "b");
}

TEST(RouteChoice, OneThatDoesNotAnswerIsLeftBeforeItFails) {
  Market market(2, RoutePolicy::kFastest);
  market.measure(0, 100, 10);
  market.measure(1, 300, 10);
  for (int i = 0; i < 3; ++i) market.state(0).begin({0, market.now, 0, false, true, 0});
  EXPECT_EQ(market.firsts()['a'], kCalls);
  market.now += kSecond;
  EXPECT_EQ(market.firsts()['b'], kCalls);
}

TEST(RouteChoice, ExplorationIsBoundedAndFindsWhatHasBecomeFast) {
  Market market(3, RoutePolicy::kFastest);
  market.measure(0, 4000, 10);
  market.measure(1, 100, 10);
  market.measure(2, 100, 10);
  EXPECT_EQ(market.firsts()['a'], 0) << "it was just measured";
  market.now += 10 * kSecond;
  market.measure(1, 100, 10);
  market.measure(2, 100, 10);
  const int explored = market.firsts()['a'];
  EXPECT_GT(explored, 0);
  EXPECT_LT(explored, kCalls / 100);
  market.measure(0, 10, 1);
  EXPECT_GT(market.firsts()['a'], 0);
}

TEST(RouteChoice, TheLeastBusyOfTwoIsTakenByItsShare) {
  Market market(3, RoutePolicy::kLeastBusy);
  market.backend(0).in_flight = 5;
  market.backend(1).in_flight = 6;
  market.backend(2).in_flight = 7;
  auto counts = market.firsts();
  EXPECT_GT(counts['a'], counts['b']);
  EXPECT_EQ(counts['c'], 0);
  market.model().routes[2].weight = 10;
  EXPECT_GT(market.firsts()['c'], kCalls / 2);
}

TEST(RouteChoice, TheCheapestIsByWhatTheCallWouldCost) {
  Market market(3, RoutePolicy::kCheapest);
  market.model().routes[0].cost = Price{100, 9'000};
  market.model().routes[1].cost = Price{1'000, 1'000};
  RouteRequest read;
  read.prompt_bytes = 1'000'000;
  read.max_output_tokens = 1;
  RouteRequest written;
  written.max_output_tokens = 1'000;
  EXPECT_EQ(market.tried({}, read), "abc") << "who says no price is last";
  EXPECT_EQ(market.tried({}, written), "bac");
  market.state(2).input_price = 1;
  market.state(2).output_price = 1;
  EXPECT_EQ(market.tried({}, written), "cba") << "what its backend says counts as well";
}

TEST(RouteChoice, OfEquallyCheapOnesAllAreTaken) {
  Market market(2, RoutePolicy::kCheapest);
  for (Route& route : market.model().routes) route.cost = Price{1, 1};
  EXPECT_NEAR(market.firsts()['a'], kCalls / 2, 120);
}

class StickyTest : public testing::TestWithParam<RoutePolicy> {};

TEST_P(StickyTest, AConversationStaysAndTheOthersSpread) {
  Market market(4, GetParam());
  market.model().is_sticky = true;
  for (Route& route : market.model().routes) route.cost = Price{1, 1};
  std::map<std::string, int> shares;
  std::map<std::uint64_t, std::string> homes;
  for (std::uint64_t prefix = 1; prefix <= 400; ++prefix) {
    RouteRequest request;
    request.prefix_hash = prefix * 0x9E3779B97F4A7C15ULL;
    const std::string first = market.tried({}, request).substr(0, 1);
    for (int turn = 0; turn < 5; ++turn) EXPECT_EQ(market.tried({}, request).substr(0, 1), first);
    homes[request.prefix_hash] = first;
    ++shares[first];
  }
  for (const auto& [name, share] : shares) EXPECT_NEAR(share, 100, 40) << name;
  market.fail(1, 5);
  for (const auto& [prefix, home] : homes) {
    RouteRequest request;
    request.prefix_hash = prefix;
    const std::string first = market.tried({}, request).substr(0, 1);
    if (home == "b") {
      EXPECT_NE(first, "b");
    } else {
      EXPECT_EQ(first, home) << "only what was at the one that failed moves";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Policies, StickyTest,
                         testing::Values(RoutePolicy::kWeighted, RoutePolicy::kCheapest,
                                         RoutePolicy::kFastest, RoutePolicy::kLeastBusy));

TEST(RouteChoice, AConversationYieldsToLoad) {
  Market market(2, RoutePolicy::kLeastBusy);
  market.model().is_sticky = true;
  RouteRequest request;
  request.prefix_hash = 12345;
  const std::string first = market.tried({}, request);
  const std::size_t home = first[0] == 'a' ? 0 : 1;
  market.backend(home).in_flight = 10;
  market.backend(1 - home).in_flight = 6;
  EXPECT_EQ(market.tried({}, request), first) << "a little more is no reason to move";
  market.backend(home).in_flight = 20;
  EXPECT_NE(market.tried({}, request), first);
}

struct PreferenceCase {
  std::string name;
  ProviderPreferences preferences;
  std::string tried;
};

// a costs 1 and 2 and keeps nothing, b costs 3 and 4, c is in an enclave and says no price.
TEST(RouteChoice, PreferencesOfTheRequestAreHeeded) {
  Market market(3);
  market.model().price = {9, 9};
  market.model().routes[0].cost = Price{1, 2};
  market.model().routes[0].privacy = RoutePrivacy::kPrivate;
  market.model().routes[1].cost = Price{3, 4};
  market.model().routes[1].privacy = RoutePrivacy::kAnonymized;
  market.state(2).privacy = RoutePrivacy::kTee;
  std::vector<PreferenceCase> cases(12);
  cases[0] = {"pinned", {}, "b"};
  cases[0].preferences.pinned = "b";
  cases[1] = {"order", {}, "cab"};
  cases[1].preferences.order = {"c", "nobody", "a"};
  cases[2] = {"order alone", {}, "ca"};
  cases[2].preferences.order = {"c", "a"};
  cases[2].preferences.allow_fallbacks = false;
  cases[3] = {"only", {}, "bc"};
  cases[3].preferences.only = {"c", "b"};
  cases[4] = {"ignore", {}, "ac"};
  cases[4].preferences.ignore = {"b"};
  cases[5] = {"no fallbacks", {}, "a"};
  cases[5].preferences.allow_fallbacks = false;
  cases[6] = {"price of input", {}, "ab"};
  cases[6].preferences.input_price_max = 3;
  cases[7] = {"price of output", {}, "a"};
  cases[7].preferences.output_price_max = 3;
  cases[8] = {"private", {}, "ac"};
  cases[8].preferences.is_private = true;
  cases[9] = {"by price", {}, "abc"};
  cases[9].preferences.sort = ProviderPreferences::Sort::kPrice;
  cases[10] = {"nothing", {}, "NO_PROVIDER_LEFT"};
  cases[10].preferences.output_price_max = 1;
  cases[11] = {"nobody", {}, "PROVIDER_NOT_FOUND"};
  cases[11].preferences.pinned = "nobody";
  for (const PreferenceCase& given : cases) {
    EXPECT_EQ(market.tried(given.preferences), given.tried) << given.name;
  }
}

TEST(RouteChoice, AnOrderYieldsToHealth) {
  Market market(3);
  market.fail(2, 5);
  ProviderPreferences preferences;
  preferences.order = {"c", "b"};
  EXPECT_EQ(market.tried(preferences), "bac");
}

TEST(RouteChoice, WhatLeftEachOutIsTold) {
  Market market(3);
  ProviderPreferences preferences;
  preferences.only = {"a", "b"};
  preferences.ignore = {"a"};
  preferences.is_private = true;
  const auto choice = RouteChoice::make(market.model(), {}, preferences);
  ASSERT_FALSE(choice);
  EXPECT_EQ(choice.error().http_status, 404U);
  EXPECT_EQ(choice.error().message,
            "provider: none is left of those that serve the model \"m\": a (in \"ignore\"), b (may "
            "keep what it gets), c (not in \"only\")");
  ProviderPreferences pinned;
  pinned.pinned = "z";
  EXPECT_EQ(RouteChoice::make(market.model(), {}, pinned).error().message,
            "provider: \"z\" does not serve the model \"m\"; those that do: a, b, c");
}

}  // namespace
}  // namespace backplane::test
