// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/routing/route_choice.hpp"

#include "runtime/pipeline/routing/prefix_hash.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace backplane {
namespace {

constexpr std::size_t kNone = RouteChoice::kRoutesMax;
constexpr double kUnknown = std::numeric_limits<double>::infinity();

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_above(const std::optional<std::int64_t>& most, std::int64_t price) {
  return most && price > *most;
}

// Why the request leaves the route out; null: it does not.
const char* left_out(const Model& model, const Route& route,
                     const ProviderPreferences& preferences) {
  const std::string& name = route.backend->name;
  if (!preferences.pinned.empty() && name != preferences.pinned) return "not the one asked for";
  if (!preferences.only.empty() && !has(preferences.only, name)) return "not in \"only\"";
  if (has(preferences.ignore, name)) return "in \"ignore\"";
  const bool is_ordered = !preferences.order.empty() && !preferences.allow_fallbacks;
  if (is_ordered && !has(preferences.order, name)) return "not in \"order\"";
  const Price price = cost_of(route).value_or(model.price);
  if (is_above(preferences.input_price_max, price.input_nano_usd_per_mtok) ||
      is_above(preferences.output_price_max, price.output_nano_usd_per_mtok)) {
    return "above \"max_price\"";
  }
  if (preferences.is_private && privacy_of(route) < RoutePrivacy::kPrivate) {
    return "may keep what it gets";
  }
  return nullptr;
}

// No wish that leaves a route out.
bool asks_for_nothing(const ProviderPreferences& preferences) {
  return preferences.pinned.empty() && preferences.order.empty() && preferences.only.empty() &&
         preferences.ignore.empty() && !preferences.is_private && !preferences.input_price_max &&
         !preferences.output_price_max;
}

RouteSet serving(const Model& model, std::string_view operation) {
  const RouteSet* any = nullptr;
  for (const auto& [name, routes] : model.serving) {
    if (name == operation) return routes;
    if (name.empty()) any = &routes;
  }
  if (any != nullptr) return *any;
  RouteSet routes;
  for (std::size_t i = 0; i < model.routes.size() && i < routes.size(); ++i) {
    routes.set(i, model.routes[i].backend->serves(operation));
  }
  return routes;
}

Error no_operation(const Model& model, std::string_view operation, std::string_view provider) {
  std::string message = "the model \"" + model.name + "\" does not offer the operation \"" +
                        std::string(operation) + '"';
  if (!provider.empty()) message += " at the provider \"" + shown_name(provider) + '"';
  return {Code::kNotFound, std::move(message), "OPERATION_NOT_SUPPORTED", 404, 0};
}

Error none_left(const Model& model, const RouteRequest& request,
                const ProviderPreferences& preferences) {
  constexpr std::size_t kNamedMax = 8;
  std::string providers;
  std::string reasons;
  std::size_t named = 0;
  bool has_pinned = false;
  bool lacks_operation = false;
  for (const Route& route : model.routes) {
    const char* const reason = left_out(model, route, preferences);
    lacks_operation |= reason == nullptr;
    has_pinned |= route.backend->name == preferences.pinned;
    if (named++ >= kNamedMax) continue;
    const std::string before = named == 1 ? "" : ", ";
    providers += before + route.backend->name;
    reasons += before + route.backend->name + " (" +
               (reason != nullptr ? reason : "does not offer the operation") + ')';
  }
  if (lacks_operation) return no_operation(model, request.operation, preferences.pinned);
  if (!preferences.pinned.empty() && !has_pinned) {
    return {Code::kNotFound,
            "provider: \"" + shown_name(preferences.pinned) + "\" does not serve the model \"" +
                model.name + "\"; those that do: " + providers,
            "PROVIDER_NOT_FOUND", 404, 0};
  }
  return {Code::kNotFound,
          "provider: none is left of those that serve the model \"" + model.name + "\": " + reasons,
          "NO_PROVIDER_LEFT", 404, 0};
}

}  // namespace

// The name of the operation goes with the request.
RouteChoice::RouteChoice(const Model& model, const RouteRequest& request,
                         ProviderPreferences preferences)
    : model_(&model), preferences_(std::move(preferences)), request_(request) {
  request_.operation = {};
}

Result<RouteChoice> RouteChoice::make(const Model& model, const RouteRequest& request,
                                      ProviderPreferences preferences) {
  RouteChoice choice(model, request, std::move(preferences));
  choice.left_ = serving(model, request.operation);
  if (!asks_for_nothing(choice.preferences_)) {
    for (std::size_t i = 0; i < model.routes.size() && i < kRoutesMax; ++i) {
      if (left_out(model, model.routes[i], choice.preferences_) != nullptr) choice.left_.reset(i);
    }
  }
  if (choice.left_.none()) return none_left(model, request, choice.preferences_);
  return choice;
}

RoutePolicy RouteChoice::policy() const {
  switch (preferences_.sort) {
    case ProviderPreferences::Sort::kPrice:
      return RoutePolicy::kCheapest;
    case ProviderPreferences::Sort::kSpeed:
      return RoutePolicy::kFastest;
    case ProviderPreferences::Sort::kPolicy:
      break;
  }
  return model_->policy;
}

RouteChoice::Pick RouteChoice::take(std::size_t index, bool is_probe) {
  left_.reset(index);
  is_first_ = false;
  if (!preferences_.allow_fallbacks && preferences_.order.empty()) left_.reset();
  return {&route(index), is_probe};
}

// A route that may be probed is taken in its place by one call at a time, and passed by the others.
template <class RankOf>
RouteChoice::Pick RouteChoice::take_least(Routes good, Routes due, const RankOf& rank_of) {
  Routes all = good | due;
  while (all.any()) {
    std::size_t best = kNone;
    Rank least;
    for (std::size_t i = 0; i < model_->routes.size() && i < kRoutesMax; ++i) {
      if (!all.test(i)) continue;
      const Rank rank = rank_of(i);
      if (best != kNone && !(rank < least)) continue;
      best = i;
      least = rank;
    }
    if (good.test(best)) return take(best);
    if (may_probe() && route(best).state->take_probe()) return take(best, true);
    all.reset(best);
  }
  return {};
}

RouteChoice::Pick RouteChoice::next(const Moment& moment) {
  const Pick pick = next_good(moment);
  return pick.route != nullptr || left_.none() ? pick : take_last_resort(moment);
}

RouteChoice::Pick RouteChoice::next_good(const Moment& moment) {
  if (const Pick sampled = take_sampled(moment); sampled.route != nullptr) return sampled;
  Routes good;
  Routes due;
  Routes slow;
  Routes ordered;
  for (std::size_t i = 0; i < model_->routes.size() && i < kRoutesMax; ++i) {
    if (!left_.test(i) || route(i).backend->is_full()) continue;
    const RouteHealth health = route(i).state->health(moment.now_ns);
    good.set(i, health == RouteHealth::kGood);
    due.set(i, health == RouteHealth::kProbeDue);
    slow.set(i, health == RouteHealth::kSlow);
    if (!preferences_.order.empty()) ordered.set(i, place_in_order(i) != kNone);
  }
  if (good.none()) good = slow;
  if ((ordered & (good | due)).any()) {
    const Pick pick = take_least(good & ordered, due & ordered, [this](std::size_t i) -> Rank {
      return {static_cast<double>(place_in_order(i)), i};
    });
    if (pick.route != nullptr) return pick;
  }
  if (policy() == RoutePolicy::kOrdered) {
    return take_least(good, due, [](std::size_t i) -> Rank { return {static_cast<double>(i), 0}; });
  }
  if (policy() == RoutePolicy::kCheapest) {
    return take_least(good, due, [&](std::size_t i) -> Rank {
      return {price(i), is_sticky() ? ~affinity(i) : mixed(moment.random + i)};
    });
  }
  return take_live(good, due, moment);
}

// Of many routes two are drawn without a look at the others. A few draws in vain, and all are
// looked at.
RouteChoice::Pick RouteChoice::take_sampled(const Moment& moment) {
  constexpr std::size_t kManyRoutes = 16;
  constexpr std::uint64_t kDrawsMost = 12;
  const bool is_live = policy() == RoutePolicy::kFastest || policy() == RoutePolicy::kLeastBusy;
  const std::size_t count = std::min(model_->routes.size(), kRoutesMax);
  if (!is_live || count <= kManyRoutes || is_sticky() || !preferences_.order.empty() ||
      is_curious(moment)) {
    return {};
  }
  std::size_t first = kNone;
  for (std::uint64_t draw = 0; draw < kDrawsMost; ++draw) {
    const auto i = static_cast<std::size_t>(mixed(moment.random + draw) % count);
    if (i == first || !left_.test(i) || route(i).backend->is_full()) continue;
    const RouteHealth health = route(i).state->health(moment.now_ns);
    if (health == RouteHealth::kProbeDue && may_probe() && route(i).state->take_probe()) {
      return take(i, true);
    }
    if (health != RouteHealth::kGood) continue;
    if (first != kNone) return take(better(first, i, moment));
    first = i;
  }
  return {};
}

RouteChoice::Pick RouteChoice::take_live(const Routes& good, const Routes& due,
                                         const Moment& moment) {
  if (may_probe() && due.any()) {
    for (std::size_t i = 0; i < model_->routes.size() && i < kRoutesMax; ++i) {
      if (due.test(i) && route(i).state->take_probe()) return take(i, true);
    }
  }
  if (good.none()) return {};
  if (policy() == RoutePolicy::kWeighted) return take(drawn_by_weight(good, moment));
  const std::size_t curious = unmeasured(good, moment);
  return take(curious != kNone ? curious : better_of_two(good, moment));
}

RouteChoice::Pick RouteChoice::take_last_resort(const Moment& moment) {
  std::size_t soonest = kNone;
  Rank least;
  for (std::size_t i = 0; i < model_->routes.size() && i < kRoutesMax; ++i) {
    if (!left_.test(i)) continue;
    const Rank rank = {route(i).backend->is_full() ? 1 : 0,
                       static_cast<std::uint64_t>(route(i).state->until_ns(moment.now_ns))};
    if (soonest != kNone && !(rank < least)) continue;
    soonest = i;
    least = rank;
  }
  return take(soonest);
}

// By how the conversation begins each route draws a number; the share of the calls in which one
// route's is the least is its share of the weights.
std::size_t RouteChoice::drawn_by_weight(const Routes& good, const Moment& moment) const {
  std::uint64_t total = 0;
  std::size_t first = kNone;
  std::size_t closest = kNone;
  double least = kUnknown;
  for (std::size_t i = 0; i < model_->routes.size() && i < kRoutesMax; ++i) {
    if (!good.test(i)) continue;
    if (first == kNone) first = i;
    total += route(i).weight;
    if (!is_sticky() || route(i).weight == 0) continue;
    constexpr double kRange = 18446744073709551616.0;  // 2^64
    const double share = (static_cast<double>(affinity(i)) + 1) / kRange;
    const double distance = -std::log(share) / route(i).weight;
    if (distance >= least) continue;
    least = distance;
    closest = i;
  }
  if (total == 0) return first;
  if (closest != kNone) return closest;
  std::uint64_t ticket = moment.random % total;
  for (std::size_t i = first;; ++i) {
    if (!good.test(i)) continue;
    if (ticket < route(i).weight) return i;
    ticket -= route(i).weight;
  }
}

// Two, by chance or by how the conversation begins; who has the conversation keeps it unless the
// other one is twice as good.
std::size_t RouteChoice::better_of_two(const Routes& good, const Moment& moment) const {
  std::size_t first = kNone;
  std::size_t second = kNone;
  std::uint64_t most = 0;
  std::uint64_t next = 0;
  for (std::size_t i = 0; i < model_->routes.size() && i < kRoutesMax; ++i) {
    if (!good.test(i)) continue;
    const std::uint64_t draw = is_sticky() ? affinity(i) : mixed(moment.random + i);
    if (first == kNone || draw > most) {
      second = std::exchange(first, i);
      next = std::exchange(most, draw);
    } else if (second == kNone || draw > next) {
      second = i;
      next = draw;
    }
  }
  return second == kNone ? first : better(first, second, moment);
}

std::size_t RouteChoice::better(std::size_t first, std::size_t second, const Moment& moment) const {
  constexpr float kPatience = 2;
  const float patience = is_sticky() ? kPatience : 1;
  return cost(first, moment) <= patience * cost(second, moment) ? first : second;
}

bool RouteChoice::is_curious(const Moment& moment) const {
  constexpr std::uint64_t kOneIn = 256;
  return policy() == RoutePolicy::kFastest && !is_sticky() && may_probe() &&
         (moment.random >> 32U) % kOneIn == 0;
}

// One call in 256 measures what has not been measured for long: a route that has become fast again
// is found, and the slow tail stays where it is.
std::size_t RouteChoice::unmeasured(const Routes& good, const Moment& moment) const {
  constexpr std::int64_t kStaleUs = 5'000'000;
  if (!is_curious(moment)) return kNone;
  std::size_t oldest = kNone;
  std::int64_t since_us = moment.now_ns / 1000 - kStaleUs;
  for (std::size_t i = 0; i < model_->routes.size() && i < kRoutesMax; ++i) {
    if (!good.test(i) || route(i).state->sampled_us(moment.loop) >= since_us) continue;
    oldest = i;
    since_us = route(i).state->sampled_us(moment.loop);
  }
  return oldest;
}

std::size_t RouteChoice::place_in_order(std::size_t index) const {
  const auto& order = preferences_.order;
  const auto found = std::find(order.begin(), order.end(), route(index).backend->name);
  return found != order.end() ? static_cast<std::size_t>(found - order.begin()) : kNone;
}

float RouteChoice::cost(std::size_t index, const Moment& moment) const {
  constexpr std::uint64_t kTokensUsual = 256;
  constexpr std::uint64_t kTokensMost = 1024;
  constexpr float kNoShare = 1e6F;
  const Route& given = route(index);
  if (policy() == RoutePolicy::kLeastBusy) {
    const auto busy =
        static_cast<float>(given.backend->in_flight.load(std::memory_order_relaxed) + 1);
    return given.weight == 0 ? busy * kNoShare : busy / static_cast<float>(given.weight);
  }
  const std::uint64_t tokens = request_.max_output_tokens == 0
                                   ? kTokensUsual
                                   : std::min(request_.max_output_tokens, kTokensMost);
  return given.state->expected_us(moment.loop, moment.now_ns, static_cast<float>(tokens));
}

// What the call would cost there: about four bytes of a prompt are a token.
double RouteChoice::price(std::size_t index) const {
  constexpr double kBytesPerToken = 4;
  constexpr std::uint64_t kTokensUsual = 512;
  const std::optional<Price> asked = cost_of(route(index));
  if (!asked) return kUnknown;
  const std::uint64_t output =
      request_.max_output_tokens == 0 ? kTokensUsual : request_.max_output_tokens;
  return static_cast<double>(request_.prompt_bytes) / kBytesPerToken *
             static_cast<double>(asked->input_nano_usd_per_mtok) +
         static_cast<double>(output) * static_cast<double>(asked->output_nano_usd_per_mtok);
}

// Rendezvous hashing: where a route goes, only its own conversations move.
std::uint64_t RouteChoice::affinity(std::size_t index) const {
  return mixed(request_.prefix_hash ^ route(index).state->hash());
}

}  // namespace backplane
