// SPDX-License-Identifier: Apache-2.0
// One decision: which of so many healthy, measured routes a call takes. The list of those that may
// serve it included.
#include "runtime/pipeline/routing/prefix_hash.hpp"
#include "runtime/pipeline/routing/route_choice.hpp"

#include <benchmark/benchmark.h>

#include <list>

namespace backplane::bench {
namespace {

constexpr std::int64_t kMs = 1'000'000;

struct Market {
  Market(RoutePolicy policy, std::int64_t count, bool is_sticky) {
    model.policy = policy;
    for (std::int64_t i = 0; i < count; ++i) {
      BackendInstance& backend = backends.emplace_back();
      backend.name = "provider-" + std::to_string(i);
      backend.operations = {"chat.completions", "embeddings"};
      Route route;
      route.backend = &backend;
      route.cost = Price{i, i};
      route.state = std::make_shared<RouteState>(backend.name);
      RouteTry answered{0, now_ns, now_ns + (100 + i) * kMs, false, true, 100};
      route.state->begin(answered);
      route.state->first_event(answered);
      route.state->end(answered, AttemptOutcome::kOk, 0, {}, now_ns + 1'000 * kMs);
      model.routes.push_back(std::move(route));
    }
    model.name = "m";
    model.is_sticky = is_sticky;
    router = Router({model});
  }
  std::int64_t now_ns = 1'000'000 * kMs;
  const Model& routed() { return **router.find(model.name); }
  std::list<BackendInstance> backends;
  Model model;
  Router router{{}};
};

void decide(benchmark::State& state, RoutePolicy policy, bool is_sticky) {
  Market market(policy, state.range(0), is_sticky);
  const Model& model = market.routed();
  RouteRequest request;
  request.operation = "chat.completions";
  request.prefix_hash = 42;
  std::uint64_t random = 1;
  for (auto _ : state) {
    random = mixed(random + 1);
    market.now_ns += 10'000;  // 100 000 decisions a second
    auto choice = RouteChoice::make(model, request, {});
    benchmark::DoNotOptimize(choice->next({0, market.now_ns, random}));
  }
}
BENCHMARK_CAPTURE(decide, ordered, RoutePolicy::kOrdered, false)->Arg(3)->Arg(10)->Arg(100);
BENCHMARK_CAPTURE(decide, weighted, RoutePolicy::kWeighted, false)->Arg(3)->Arg(10)->Arg(100);
BENCHMARK_CAPTURE(decide, cheapest, RoutePolicy::kCheapest, false)->Arg(3)->Arg(10)->Arg(100);
BENCHMARK_CAPTURE(decide, least_busy, RoutePolicy::kLeastBusy, false)->Arg(3)->Arg(10)->Arg(100);
BENCHMARK_CAPTURE(decide, fastest, RoutePolicy::kFastest, false)->Arg(3)->Arg(10)->Arg(100);
BENCHMARK_CAPTURE(decide, fastest_sticky, RoutePolicy::kFastest, true)->Arg(3)->Arg(10)->Arg(100);

void hash_a_prefix(benchmark::State& state) {
  const std::string prefix(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(prefix_hash_of(prefix));
}
BENCHMARK(hash_a_prefix)->Arg(1'000)->Arg(100'000);

}  // namespace
}  // namespace backplane::bench
