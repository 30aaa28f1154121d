// SPDX-License-Identifier: Apache-2.0
// Model -> routes, in the order in which they are to be tried. Built once, then only read.
#pragma once

#include "runtime/pipeline/backend_series.hpp"

#include <backplane/backend.h>

#include <atomic>
#include <backplane/result.hpp>
#include <cstdint>
#include <map>
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
  // A reload may change these two while calls run.
  std::atomic<std::uint64_t> calls_max{0};   // 0: no bound
  std::atomic<std::uint64_t> timeout_ms{0};  // of one attempt; 0: the call's deadline only
  std::vector<std::string> operations;       // that it serves; empty: any
  BackendSeries series;
  std::atomic<std::uint64_t> in_flight{0};
  std::atomic<std::uint64_t> leaked{0};  // cancelled calls that did not end in time

  // [any-thread] Takes a place for one call; false where there is none.
  bool try_enter() {
    const std::uint64_t most = calls_max.load(std::memory_order_relaxed);
    if (in_flight.fetch_add(1) < most || most == 0) return true;
    in_flight.fetch_sub(1);
    return false;
  }
  void leave() { in_flight.fetch_sub(1); }
  bool serves(std::string_view operation) const;
};

struct Route {
  BackendInstance* backend = nullptr;
  std::string model;  // the backend's name for it
  std::uint32_t weight = 1;
};

enum class RoutePolicy { kOrdered, kWeighted };

// Prices are nano-USD per million tokens.
struct Price {
  std::int64_t input_nano_usd_per_mtok = 0;
  std::int64_t output_nano_usd_per_mtok = 0;
};

struct Model {
  std::string name;
  RoutePolicy policy = RoutePolicy::kOrdered;
  Price price;
  std::vector<Route> routes;
  std::uint32_t index = 0;  // of the model's metrics
};

class Router {
 public:
  explicit Router(std::vector<Model> models);

  // Fails with MODEL_NOT_FOUND and the nearest name, where one is near.
  Result<const Model*> find(std::string_view model) const;

  // The routes to try, best first. `provider` pins one backend by name; `random` feeds the weighted
  // policy. Fails with OPERATION_NOT_SUPPORTED where no backend of the model offers the operation,
  // and with PROVIDER_NOT_FOUND where the pinned one does not serve the model.
  static Result<std::vector<const Route*>> order(const Model& model, std::string_view operation,
                                                 std::string_view provider, std::uint64_t random);

  const std::map<std::string, Model, std::less<>>& models() const { return models_; }

 private:
  std::map<std::string, Model, std::less<>> models_;
};

// May another route be tried after this? Connection errors, 5xx and 429; never the caller's fault.
bool is_retryable(const Error& error);

// What the usage costs, rounded up once; saturates instead of overflowing.
std::int64_t cost_nano_usd(const Price& price, std::uint64_t prompt_tokens,
                           std::uint64_t completion_tokens);

}  // namespace backplane
