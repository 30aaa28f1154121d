// SPDX-License-Identifier: Apache-2.0
// Choices among so many routes that two are drawn without a look at the others.
#include "runtime/pipeline/routing/prefix_hash.hpp"
#include "runtime/pipeline/routing/route_choice.hpp"

#include <gtest/gtest.h>

#include <list>
#include <map>
#include <set>

namespace backplane::test {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::size_t kRoutes = 100;
constexpr int kCalls = 20'000;

class ManyRoutesTest : public testing::TestWithParam<RoutePolicy> {
 protected:
  ManyRoutesTest() {
    Model model;
    model.name = "m";
    model.policy = GetParam();
    for (std::size_t i = 0; i < kRoutes; ++i) {
      BackendInstance& backend = backends_.emplace_back();
      backend.name = std::to_string(i);
      if (i % 10 == 9) backend.operations = {"embeddings"};
      model.routes.push_back({&backend, "m", 1});
      model.routes.back().state = std::make_shared<RouteState>(backend.name);
    }
    router_ = Router({model});
  }
  const Model& model() { return **router_.find("m"); }
  RouteState& state(std::size_t index) { return *model().routes[index].state; }
  void end(std::size_t index, std::int64_t first_event_ms, AttemptOutcome outcome) {
    RouteTry given{0, now, 0, false, true, 100};
    state(index).begin(given);
    given.first_event_ns = now + first_event_ms * kMs;
    state(index).first_event(given);
    state(index).end(given, outcome, 0, {}, given.first_event_ns + 100 * kMs);
  }
  RouteChoice choice() {
    RouteRequest request;
    request.operation = "chat.completions";
    return *RouteChoice::make(model(), request, {});
  }
  static std::size_t index_of(const RouteChoice::Pick& pick) {
    return std::stoul(pick.route->backend->name);
  }
  std::map<std::size_t, int> firsts() {
    std::map<std::size_t, int> counts;
    for (int i = 0; i < kCalls; ++i) {
      const RouteChoice::Pick pick = choice().next({0, now, random()});
      ++counts[index_of(pick)];
      if (pick.is_probe) pick.route->state->give_back_probe();
    }
    return counts;
  }
  std::uint64_t random() { return mixed(++seed_); }

  std::int64_t now = 1'000'000 * kMs;

 private:
  std::uint64_t seed_ = 0;
  std::list<BackendInstance> backends_;
  Router router_{{}};
};

TEST_P(ManyRoutesTest, AllThatServeTheOperationHaveTheirShare) {
  for (std::size_t i = 0; i < kRoutes; ++i) end(i, 100, AttemptOutcome::kOk);
  const auto counts = firsts();
  EXPECT_EQ(counts.size(), kRoutes * 9 / 10);
  for (const auto& [index, count] : counts) EXPECT_NEAR(count, kCalls / 90, 110) << index;
}

TEST_P(ManyRoutesTest, TheSameMomentGivesTheSameChoice) {
  for (std::uint64_t draw = 0; draw < 200; ++draw) {
    const RouteChoice::Moment moment{0, now, mixed(draw)};
    EXPECT_EQ(choice().next(moment).route, choice().next(moment).route);
  }
}

TEST_P(ManyRoutesTest, ThoseThatFailAreLeftOutAndProbedWhenDue) {
  for (int i = 0; i < 5; ++i) end(3, 100, AttemptOutcome::kUnavailable);
  EXPECT_EQ(firsts().count(3), 0U);
  now += 10'000 * kMs;
  EXPECT_GT(firsts().count(3), 0U);
}

TEST_P(ManyRoutesTest, WhereFewAreLeftTheyAreFound) {
  for (std::size_t i = 0; i < kRoutes; ++i) {
    for (int times = 0; i != 42 && times < 5; ++times) end(i, 100, AttemptOutcome::kUnavailable);
  }
  EXPECT_EQ(firsts().at(42), kCalls);
}

TEST_P(ManyRoutesTest, ACallThatFailsEverywhereHasTriedAll) {
  RouteChoice all = choice();
  std::set<std::size_t> tried;
  while (all.has_next()) tried.insert(index_of(all.next({0, now, random()})));
  EXPECT_EQ(tried.size(), kRoutes * 9 / 10);
}

INSTANTIATE_TEST_SUITE_P(Policies, ManyRoutesTest,
                         testing::Values(RoutePolicy::kFastest, RoutePolicy::kLeastBusy));

}  // namespace
}  // namespace backplane::test
