// SPDX-License-Identifier: Apache-2.0
// The models there are and the routes that serve each. Built once, then only read.
#pragma once

#include "runtime/pipeline/backend_series.hpp"
#include "runtime/pipeline/routing/concurrency_limit.hpp"
#include "runtime/pipeline/routing/hedge.hpp"
#include "runtime/pipeline/routing/retry_budget.hpp"
#include "runtime/pipeline/routing/route_state.hpp"

#include <backplane/backend.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <backplane/result.hpp>
#include <bitset>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace backplane {

// A started backend. `table` and `self` are the plugin's; the counters are the pipeline's.
struct BackendInstance {
  std::string name;
  std::string plugin;  // its name, for traces
  const bp_backend* table = nullptr;
  void* self = nullptr;
  std::uint64_t since_generation = 0;  // that in which it started
  // A reload may change these while calls run.
  std::atomic<std::uint64_t> calls_max{0};               // 0: no bound
  std::atomic<std::uint64_t> timeout_ms{0};              // of one attempt; 0: the call's deadline
  std::atomic<std::uint64_t> first_event_timeout_ms{0};  // 0: timeout_ms
  std::atomic<std::uint64_t> eject_failures{5};          // in a row; 0: never
  std::atomic<std::uint64_t> eject_ms{5'000};            // for the first time
  std::atomic<std::uint64_t> eject_slower{5};            // than usual is a failure; 0: never
  ConcurrencyLimit limit;
  std::vector<std::string> operations;  // that it serves; empty: any
  BackendSeries series;
  std::atomic<std::uint64_t> in_flight{0};
  std::atomic<std::uint64_t> leaked{0};  // cancelled calls that did not end in time

  // [any-thread] Takes a place for one call; false where there is none.
  bool try_enter() {
    const std::uint64_t most = calls_most();
    if (in_flight.fetch_add(1) < most || most == 0) return true;
    in_flight.fetch_sub(1);
    return false;
  }
  void leave() { in_flight.fetch_sub(1); }
  // [any-thread] 0: no bound.
  std::uint64_t calls_most() const {
    const std::uint64_t fixed = calls_max.load(std::memory_order_relaxed);
    const std::uint64_t learned = limit.now();
    return fixed == 0 || learned == 0 ? fixed + learned : std::min(fixed, learned);
  }
  bool is_full() const {
    const std::uint64_t most = calls_most();
    return most != 0 && in_flight.load(std::memory_order_relaxed) >= most;
  }
  EjectionRules ejection() const {
    return {eject_failures.load(std::memory_order_relaxed),
            eject_ms.load(std::memory_order_relaxed), eject_slower.load(std::memory_order_relaxed)};
  }
  bool serves(std::string_view operation) const;
};

// Prices are nano-USD per million tokens.
struct Price {
  std::int64_t input_nano_usd_per_mtok = 0;
  std::int64_t output_nano_usd_per_mtok = 0;
};

struct Route {
  BackendInstance* backend = nullptr;
  std::string model;  // the backend's name for it
  std::uint32_t weight = 1;
  std::optional<Price> cost = {};                 // none: as the backend says
  RoutePrivacy privacy = RoutePrivacy::kUnknown;  // likewise
  std::shared_ptr<RouteState> state = {};         // shared by all generations that have it
};

// What the provider asks, where it is known.
std::optional<Price> cost_of(const Route& route);
RoutePrivacy privacy_of(const Route& route);

// Keeps the state of each route as long as any router has it. [control]
class RouteStates {
 public:
  std::shared_ptr<RouteState> state_of(std::string_view backend, std::string_view model);
  void drop_unused();

 private:
  std::map<std::string, std::weak_ptr<RouteState>, std::less<>> states_;
};

enum class RoutePolicy { kOrdered, kWeighted, kCheapest, kFastest, kLeastBusy };
const char* name_of(RoutePolicy policy);

// What is kept of a model's answers.
struct CacheRules {
  std::int64_t ttl_s = 0;            // 0: nothing
  std::uint32_t charge_percent = 0;  // of what the answer would cost
  // The routes and since when they are what they are: answers of others are not this model's.
  std::string routes;
};

// Of the calls of one model, by loop.
using RetryBudgets = std::array<RetryBudget, 16>;

using RouteSet = std::bitset<256>;  // by index; a model has no more

struct Model {
  std::string name;
  RoutePolicy policy = RoutePolicy::kOrdered;
  bool is_sticky = false;  // conversations that begin alike go to one route
  std::uint32_t attempts_max = 8;
  std::uint32_t retry_percent = 20;  // of the calls
  Hedge hedge;
  bool continues_streams = false;  // elsewhere, where one breaks off in its middle
  Price price;
  CacheRules cache = {};
  std::vector<Route> routes;
  std::uint32_t index = 0;  // of the model's metrics
  std::shared_ptr<RetryBudgets> budgets = {};
  // The routes that serve an operation; under "" those that serve any. Empty: not worked out.
  std::vector<std::pair<std::string, RouteSet>> serving = {};

  RetryBudget& budget(std::uint32_t loop) const { return (*budgets)[loop % budgets->size()]; }
};

class Router {
 public:
  // Routes without a state get one of their own.
  explicit Router(std::vector<Model> models);

  // Fails with MODEL_NOT_FOUND and the nearest name, where one is near.
  Result<const Model*> find(std::string_view model) const;

  const std::map<std::string, Model, std::less<>>& models() const { return models_; }

 private:
  std::map<std::string, Model, std::less<>> models_;
};

// A name from outside in a message: cut between characters, so that it stays UTF-8.
std::string shown_name(std::string_view name);

// Of a model that does not exist, here or at a provider that has dropped it.
inline constexpr std::string_view kModelNotFound = "MODEL_NOT_FOUND";

// May another route be tried after this? Connection errors, 5xx, 429 and a model that is not there;
// never the caller's fault.
bool is_retryable(const Error& error);

// What the usage costs, rounded up once; saturates instead of overflowing.
std::int64_t cost_nano_usd(const Price& price, std::uint64_t prompt_tokens,
                           std::uint64_t completion_tokens);

}  // namespace backplane
