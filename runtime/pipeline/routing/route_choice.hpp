// SPDX-License-Identifier: Apache-2.0
// Which route a call takes, and which one next when that fails. Chosen anew for each try, by what
// is known then. [loop]
//
// Routes that are good come first, by the model's policy. Those whose provider takes no more for
// now, those that were ejected, and those of a backend with all the calls it takes come last, the
// soonest first: where nothing else is left, they are all there is.
#pragma once

#include "runtime/pipeline/router.hpp"
#include "runtime/pipeline/routing/provider_preferences.hpp"

#include <backplane/result.hpp>

#include <cstdint>
#include <string_view>
#include <utility>

namespace backplane {

struct RouteRequest {
  std::string_view operation;
  std::uint64_t prefix_hash = 0;  // of how the conversation begins; 0: unknown
  std::uint64_t prompt_bytes = 0;
  std::uint64_t max_output_tokens = 0;  // 0: not given
  bool is_repeatable = true;            // it can be tried again on another route
};

class RouteChoice {
 public:
  static constexpr std::size_t kRoutesMax = RouteSet().size();

  // The routes that may serve the request. The model outlives this. Fails where none is left,
  // naming what left each out: OPERATION_NOT_SUPPORTED, PROVIDER_NOT_FOUND, NO_PROVIDER_LEFT.
  static Result<RouteChoice> make(const Model& model, const RouteRequest& request,
                                  ProviderPreferences preferences);

  struct Moment {
    std::uint32_t loop = 0;
    std::int64_t now_ns = 0;
    std::uint64_t random = 0;
  };
  struct Pick {
    const Route* route = nullptr;  // null: none is left
    bool is_probe = false;         // it holds the place of the route's one probe
  };
  // Takes the best one left.
  Pick next(const Moment& moment);
  // Likewise of those that are good now, where there is one.
  Pick next_good(const Moment& moment);
  bool has_next() const { return left_.any(); }

 private:
  using Routes = RouteSet;
  using Rank = std::pair<double, std::uint64_t>;  // the least is the best

  RouteChoice(const Model& model, const RouteRequest& request, ProviderPreferences preferences);

  const Route& route(std::size_t index) const { return model_->routes[index]; }
  RoutePolicy policy() const;
  bool is_sticky() const { return model_->is_sticky && request_.prefix_hash != 0; }
  bool may_probe() const { return is_first_ && request_.is_repeatable; }
  Pick take(std::size_t index, bool is_probe = false);
  template <class RankOf>
  Pick take_least(Routes good, Routes due, const RankOf& rank_of);
  Pick take_last_resort(const Moment& moment);
  Pick take_sampled(const Moment& moment);
  bool is_curious(const Moment& moment) const;
  Pick take_live(const Routes& good, const Routes& due, const Moment& moment);
  std::size_t drawn_by_weight(const Routes& good, const Moment& moment) const;
  std::size_t better_of_two(const Routes& good, const Moment& moment) const;
  std::size_t better(std::size_t first, std::size_t second, const Moment& moment) const;
  std::size_t unmeasured(const Routes& good, const Moment& moment) const;
  std::size_t place_in_order(std::size_t index) const;
  float cost(std::size_t index, const Moment& moment) const;
  double price(std::size_t index) const;
  std::uint64_t affinity(std::size_t index) const;

  const Model* model_;
  ProviderPreferences preferences_;
  RouteRequest request_;
  Routes left_;
  bool is_first_ = true;
};

}  // namespace backplane
