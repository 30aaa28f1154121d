// SPDX-License-Identifier: Apache-2.0
// One instance: the host's services, the settings, the listener, and what each loop's connections
// share.
#pragma once

#include "body_budget.hpp"
#include "loop_shared.hpp"
#include "settings.hpp"

#include <backplane/clock.h>
#include <backplane/loop.h>
#include <backplane/net.h>
#include <backplane/plugin.hpp>

#include <memory>
#include <vector>

namespace backplane::http {

struct Services {
  const bp_net* net;
  const bp_loop_service* loop;
  const bp_gateway* gateway;
  const bp_clock* clock;
};

class Server {
 public:
  // Names the service that the host lacks.
  static Result<Services> find_services(Host host);

  Server(const Services& services, Settings settings);

  const Services& services() const { return services_; }
  const Settings& settings() const { return settings_; }
  const std::shared_ptr<BodyBudget>& bodies() const { return bodies_; }
  bool draining() const { return draining_.load(std::memory_order_relaxed); }

  Status listen();                         // [control]
  void drain();                            // [control]
  void close_listener();                   // [control]
  std::string describe() const;            // [any-thread]
  void accept(bp_connection* connection);  // [loop]

 private:
  std::shared_ptr<LoopShared> shared_of(const bp_loop* loop) const;

  Services services_;
  Settings settings_;
  std::shared_ptr<BodyBudget> bodies_;  // with the bodies that are still read
  std::atomic<bool> draining_{false};
  bp_listener* listener_ = nullptr;
  std::atomic<std::uint32_t> port_{0};
  std::vector<bp_loop*> loops_;
  // Shared with the drain that is on its way to a loop.
  std::vector<std::shared_ptr<LoopShared>> shared_;
};

}  // namespace backplane::http
