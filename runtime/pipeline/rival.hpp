// SPDX-License-Identifier: Apache-2.0
// A second try beside the one that a call waits for. Whichever answers first becomes the call's;
// the other one ends as a rival that has lost: cancelled, and its route told, while the call goes
// on. Belongs to its call until then, thereafter to itself. [loop]
#pragma once

#include "runtime/pipeline/attempt.hpp"

#include <backplane/clock.h>

#include <string>
#include <utility>
#include <vector>

namespace backplane {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

// Those of a HEAD, as many as a call keeps.
void keep_headers(const bp_event& event, HeaderList& out);

// All that a call knows of a try of its own.
struct OwnTry {
  Attempt*& attempt;
  const Route*& route;
  RouteTry& given;
  HeaderList& headers;
  bp_usage& usage;
  bool& has_usage;
  std::string& receipt;
};

class RivalOwner {
 public:
  virtual ~RivalOwner() = default;
  // It answers: the owner takes it over, passes the event on, and answers a BP_FLOW_*.
  virtual std::uint32_t on_rival_answer(const bp_event& event) = 0;
  // It failed before it answered and is no more.
  virtual void on_rival_gone() = 0;
};

class Rival final : private AttemptOwner {
 public:
  Rival(RivalOwner& owner, const Route& route, const RouteTry& given, CallMetrics& metrics,
        const bp_clock& clock)
      : owner_(&owner), route_(&route), given_(given), metrics_(metrics), clock_(clock) {}

  // The backend's place has been taken. Where it fails, or ends inside this, the owner is told.
  static void start(Rival& rival, const AttemptContext& context, const bp_request& request);

  // The two change places: `own` becomes this try, whose events go to `winner` from now on, and
  // what `own` was ends here.
  void change_places(OwnTry own, AttemptOwner& winner);
  // The owner is through with it.
  void lose() { lose(false); }
  const Route& route() const { return *route_; }

 private:
  ~Rival() override = default;

  void on_start(Attempt& attempt) override { attempt_ = &attempt; }
  std::uint32_t on_event(const bp_event& event) override;
  void on_end(const bp_event& terminal) override;
  void end(const Error* error);
  void lose(bool had_start);
  std::int64_t now_ns() const { return clock_.monotonic_ns(clock_.context); }

  RivalOwner* owner_;  // null: it has lost
  Attempt* attempt_ = nullptr;
  const Route* route_;
  RouteTry given_;
  HeaderList headers_;
  bp_usage usage_{};
  bool has_usage_ = false;
  std::string receipt_;
  CallMetrics& metrics_;  // outlives the attempt, as the route does
  const bp_clock& clock_;
};

}  // namespace backplane
