// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/router.hpp"

#include "runtime/config/suggestion.hpp"

#include <algorithm>
#include <limits>

namespace backplane {
namespace {

Error not_found(std::string message) {
  return {Code::kNotFound, std::move(message), std::string(kModelNotFound), 404, 0};
}

// No name has a line break.
std::string identity(std::string_view backend, std::string_view model) {
  return std::string(backend) + '\n' + std::string(model);
}

std::string identity_of(const Route& route) {
  return identity(route.backend != nullptr ? std::string_view(route.backend->name) : "",
                  route.model);
}

std::vector<std::pair<std::string, RouteSet>> serving(const std::vector<Route>& routes) {
  std::map<std::string, RouteSet> known = {{"", {}}};
  const std::size_t count = std::min(routes.size(), RouteSet().size());
  const auto each_backend = [&](const auto& take) {
    for (std::size_t i = 0; i < count; ++i) {
      if (routes[i].backend != nullptr) take(i, *routes[i].backend);
    }
  };
  each_backend([&](std::size_t, const BackendInstance& backend) {
    for (const std::string& operation : backend.operations) known[operation];
  });
  each_backend([&](std::size_t i, const BackendInstance& backend) {
    for (auto& [operation, set] : known) set.set(i, backend.serves(operation));
  });
  return {known.begin(), known.end()};
}

}  // namespace

std::string shown_name(std::string_view name) {
  constexpr std::size_t kShownBytesMax = 100;
  if (name.size() <= kShownBytesMax) return std::string(name);
  std::size_t size = kShownBytesMax;
  while (size > 0 && (static_cast<unsigned char>(name[size]) & 0xC0U) == 0x80U) --size;
  return std::string(name.substr(0, size));
}

const char* name_of(RoutePolicy policy) {
  constexpr std::array<const char*, 5> kNames = {"ordered", "weighted", "cheapest", "fastest",
                                                 "least_busy"};
  return kNames[static_cast<std::size_t>(policy)];
}

std::optional<Price> cost_of(const Route& route) {
  if (route.cost) return route.cost;
  if (route.state == nullptr) return std::nullopt;
  const std::int64_t input = route.state->input_price.load(std::memory_order_relaxed);
  const std::int64_t output = route.state->output_price.load(std::memory_order_relaxed);
  if (input < 0 || output < 0) return std::nullopt;
  return Price{input, output};
}

RoutePrivacy privacy_of(const Route& route) {
  if (route.privacy != RoutePrivacy::kUnknown || route.state == nullptr) return route.privacy;
  return route.state->privacy.load(std::memory_order_relaxed);
}

std::shared_ptr<RouteState> RouteStates::state_of(std::string_view backend,
                                                  std::string_view model) {
  std::weak_ptr<RouteState>& known = states_[identity(backend, model)];
  std::shared_ptr<RouteState> state = known.lock();
  if (state == nullptr) {
    state = std::make_shared<RouteState>(identity(backend, model));
    known = state;
  }
  return state;
}

void RouteStates::drop_unused() {
  std::erase_if(states_, [](const auto& entry) { return entry.second.expired(); });
}

Router::Router(std::vector<Model> models) {
  std::uint32_t index = 0;
  for (Model& model : models) {
    std::string name = model.name;
    const auto [entry, is_new] = models_.emplace(std::move(name), std::move(model));
    if (!is_new) continue;
    entry->second.index = index++;
    entry->second.budgets = std::make_shared<RetryBudgets>();
    entry->second.serving = serving(entry->second.routes);
    for (Route& route : entry->second.routes) {
      if (route.state == nullptr) route.state = std::make_shared<RouteState>(identity_of(route));
    }
  }
}

Result<const Model*> Router::find(std::string_view model) const {
  const auto found = models_.find(model);
  if (found != models_.end()) return &found->second;
  constexpr std::size_t kComparedMax = 1000;  // names, so that a typo cannot hold up the loop
  std::vector<std::string> names;
  for (const auto& [name, known] : models_) {
    if (names.size() == kComparedMax) break;
    names.push_back(name);
  }
  return not_found("the model \"" + shown_name(model) +
                   "\" does not exist; GET /v1/models lists those that do" +
                   config::did_you_mean(model, names));
}

bool BackendInstance::serves(std::string_view operation) const {
  return operations.empty() ||
         std::find(operations.begin(), operations.end(), operation) != operations.end();
}

bool is_retryable(const Error& error) {
  if (error.type == kModelNotFound) return true;  // there; a call without a route never gets here
  if (error.http_status == 429 || error.http_status >= 500) return true;
  if (error.http_status != 0) return false;
  return error.code == Code::kUnavailable || error.code == Code::kResourceExhausted ||
         error.code == Code::kDeadlineExceeded || error.code == Code::kInternal ||
         error.code == Code::kDataLoss || error.code == Code::kUnknown;
}

std::int64_t cost_nano_usd(const Price& price, std::uint64_t prompt_tokens,
                           std::uint64_t completion_tokens) {
  __extension__ using Wide = __int128;
  constexpr std::uint64_t kTokensMax = 1ULL << 62U;  // what no count reaches and no sum overflows
  prompt_tokens = std::min(prompt_tokens, kTokensMax);
  completion_tokens = std::min(completion_tokens, kTokensMax);
  const Wide total = static_cast<Wide>(price.input_nano_usd_per_mtok) * prompt_tokens +
                     static_cast<Wide>(price.output_nano_usd_per_mtok) * completion_tokens;
  constexpr Wide kMax = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::min<Wide>((total + 999'999) / 1'000'000, kMax));
}

}  // namespace backplane
