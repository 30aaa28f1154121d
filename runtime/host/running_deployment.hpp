// SPDX-License-Identifier: Apache-2.0
// A deployment made real: its instances and the generation that calls are served by. A later one
// takes over the instances that it would make just so again. All [control].
#pragma once

#include "runtime/host/host_services.hpp"
#include "runtime/host/instances.hpp"
#include "runtime/net/net_user.hpp"
#include "runtime/pipeline/gateway.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace backplane {

struct RunningBackend {
  std::unique_ptr<BackendPlugin> plugin;
  BackendInstance instance;  // its counters go on as long as the plugin does
};

struct RunningPayment {
  std::unique_ptr<PaymentPlugin> plugin;
  std::atomic<std::uint64_t> undecided{0};  // questions of calls, also of those that have gone
};

struct RunningTransport {
  explicit RunningTransport(Net& host) : net(host) {}
  NetUser net;
  std::unique_ptr<TransportPlugin> plugin;
};

class RunningDeployment {
 public:
  RunningDeployment(config::Deployment deployment, std::uint64_t id, HostServices& host);
  RunningDeployment(const RunningDeployment&) = delete;
  RunningDeployment& operator=(const RunningDeployment&) = delete;

  // In this order. What is unchanged since `before` (null: nothing runs) is taken over; on failure
  // what was started on the way is listed below all the same.
  Status start_backends_and_payments(const RunningDeployment* before);
  Status make_generation();
  Status start_transports(const RunningDeployment* before, const bp_gateway& gateway);
  // From here on it is this deployment that bounds the backends, also those taken over.
  void set_bounds();

  // Asks every backend anew what it says of its models.
  void describe_routes();
  // For GET /v1/models, as of now.
  std::string list_models() const;

  // Tells all of its instances. Idempotent.
  void drain(std::int64_t deadline_ns);

  // "backends.groq: changed"
  std::vector<std::string> changes_since(const RunningDeployment& before) const;
  // No call is left that began under it.
  bool is_unused() const { return unused_.load(); }

  const config::Deployment& deployment() const { return deployment_; }
  Generation& generation() { return *generation_; }
  const Router& router() const { return *router_; }
  std::uint64_t id() const { return id_; }

  // Shared by the deployments that run the same instance, this one and those before and after it.
  std::vector<std::shared_ptr<RunningBackend>> backends;
  std::vector<std::shared_ptr<RunningPayment>> payments;
  std::vector<std::shared_ptr<RunningTransport>> transports;

 private:
  Status start_backend(const config::PluginInstance& entry, const RunningDeployment* before);
  Status start_payment(const config::PluginInstance& entry, const RunningDeployment* before);
  Status start_transport(const config::PluginInstance& entry, const RunningDeployment* before,
                         const bp_gateway& gateway);
  static void learn_from(const RunningDeployment& before, BackendInstance& instance);
  std::vector<Model> models();
  LoadRules load_rules() const;

  const config::Deployment deployment_;
  const std::uint64_t id_;
  HostServices& host_;
  const PluginCatalog catalog_;
  std::vector<PaymentInstance> payment_instances_;
  std::unique_ptr<Router> router_;
  std::unique_ptr<CallMetrics> metrics_;
  std::unique_ptr<Generation> generation_;
  std::atomic<bool> unused_{false};
};

}  // namespace backplane
