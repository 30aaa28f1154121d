// SPDX-License-Identifier: Apache-2.0
#include "runtime/host/running_deployment.hpp"

#include "runtime/host/backend_description.hpp"
#include "runtime/host/catalog_schemas.hpp"
#include "runtime/host/deployment_changes.hpp"
#include "runtime/pipeline/model_list.hpp"

#include <algorithm>

namespace backplane {
namespace {

Generation::Options options_of(const config::Deployment& deployment, std::uint64_t id,
                               HostServices& host) {
  Generation::Options options;
  options.id = id;
  options.tracer = host.tracer.get();
  options.cache = &host.cache;
  options.scan.depth_max = static_cast<std::uint32_t>(deployment.limits.max_depth);
  options.call.call_timeout_ms = static_cast<std::uint64_t>(deployment.limits.call_timeout_ms);
  options.body_bytes_max = static_cast<std::uint64_t>(deployment.limits.max_body_bytes);
  options.receipts = {static_cast<std::uint64_t>(deployment.limits.max_receipts),
                      static_cast<std::uint64_t>(deployment.limits.max_receipt_bytes),
                      static_cast<std::uint64_t>(deployment.limits.receipt_seconds)};
  return options;
}

RoutePolicy policy_of(config::Policy policy) {
  switch (policy) {
    case config::Policy::kOrdered:
      return RoutePolicy::kOrdered;
    case config::Policy::kWeighted:
      return RoutePolicy::kWeighted;
    case config::Policy::kCheapest:
      return RoutePolicy::kCheapest;
    case config::Policy::kFastest:
      return RoutePolicy::kFastest;
    case config::Policy::kLeastBusy:
      return RoutePolicy::kLeastBusy;
  }
  return RoutePolicy::kOrdered;
}

Price price_of(const config::Price& price) {
  return {price.input_nano_usd_per_million_tokens, price.output_nano_usd_per_million_tokens};
}

// No name has a line break.
CacheRules cache_rules_of(const config::Cache& cache, const std::vector<Route>& routes) {
  CacheRules rules;
  rules.ttl_s = cache.ttl_seconds;
  rules.charge_percent = static_cast<std::uint32_t>(cache.charge_percent);
  for (const Route& route : routes) {
    rules.routes += route.backend->name + '\n' + std::to_string(route.backend->since_generation) +
                    '\n' + route.model + '\n';
  }
  return rules;
}

// The instance that runs just as planned, or null.
template <class Running>
std::shared_ptr<Running> find_same(const std::vector<std::shared_ptr<Running>>& running,
                                   const InstancePlan& plan) {
  const auto found = std::find_if(running.begin(), running.end(),
                                  [&](const auto& each) { return each->plugin->is_what(plan); });
  return found != running.end() ? *found : nullptr;
}

}  // namespace

RunningDeployment::RunningDeployment(config::Deployment deployment, std::uint64_t id,
                                     HostServices& host)
    : deployment_(std::move(deployment)),
      id_(id),
      host_(host),
      catalog_(catalog_of(deployment_.plugins)) {}

LoadRules RunningDeployment::load_rules() const {
  LoadRules rules;
  for (const auto& [file, digest] : deployment_.plugins.digests) {
    rules.allowed_sha256.emplace(file, digest);
  }
  return rules;
}

Status RunningDeployment::start_backends_and_payments(const RunningDeployment* before) {
  for (const config::PluginInstance& entry : deployment_.backends) {
    if (const Status made = start_backend(entry, before); !made) return made;
  }
  for (const config::PluginInstance& entry : deployment_.payments) {
    if (const Status made = start_payment(entry, before); !made) return made;
  }
  return ok();
}

Status RunningDeployment::start_backend(const config::PluginInstance& entry,
                                        const RunningDeployment* before) {
  auto plan = InstancePlan::make(entry, deployment_.secrets, catalog_, id_);
  if (!plan) return plan.error();
  if (before != nullptr) {
    if (auto same = find_same(before->backends, *plan)) {
      backends.push_back(std::move(same));
      return ok();
    }
  }
  auto made = BackendPlugin::create(std::move(*plan), load_rules(), host_.shared());
  if (!made) return made.error();
  auto running = std::make_shared<RunningBackend>();
  running->plugin = std::move(*made);
  running->instance.name = entry.name;
  running->instance.plugin = entry.plugin;
  running->instance.table = running->plugin->table();
  running->instance.self = running->plugin->self();
  running->instance.since_generation = id_;
  if (before != nullptr) learn_from(*before, running->instance);
  backends.push_back(running);
  if (const Status started = running->plugin->start(); !started) return started;
  auto description = description_of(*running->plugin);
  if (!description) return description.error();
  running->instance.operations = std::move(description->operations);
  return ok();
}

// What was learned of a backend goes with its name.
void RunningDeployment::learn_from(const RunningDeployment& before, BackendInstance& instance) {
  for (const auto& each : before.backends) {
    if (each->instance.name == instance.name) instance.limit.adopt(each->instance.limit);
  }
}

Status RunningDeployment::start_payment(const config::PluginInstance& entry,
                                        const RunningDeployment* before) {
  auto plan = InstancePlan::make(entry, deployment_.secrets, catalog_, id_);
  if (!plan) return plan.error();
  auto running = before != nullptr ? find_same(before->payments, *plan) : nullptr;
  Status started = ok();
  if (running == nullptr) {
    auto made = PaymentPlugin::create(std::move(*plan), load_rules(), host_.shared());
    if (!made) return made.error();
    running = std::make_shared<RunningPayment>();
    running->plugin = std::move(*made);
    started = running->plugin->start();
  }
  payment_instances_.push_back(
      {entry.name, running->plugin->table(), running->plugin->self(), &running->undecided});
  payments.push_back(std::move(running));
  return started;
}

Status RunningDeployment::start_transports(const RunningDeployment* before,
                                           const bp_gateway& gateway) {
  for (const config::PluginInstance& entry : deployment_.transports) {
    if (const Status made = start_transport(entry, before, gateway); !made) return made;
  }
  return ok();
}

Status RunningDeployment::start_transport(const config::PluginInstance& entry,
                                          const RunningDeployment* before,
                                          const bp_gateway& gateway) {
  auto plan = InstancePlan::make(entry, deployment_.secrets, catalog_, id_);
  if (!plan) return plan.error();
  if (before != nullptr) {
    if (auto same = find_same(before->transports, *plan)) {
      transports.push_back(std::move(same));
      return ok();
    }
  }
  auto running = std::make_shared<RunningTransport>(*host_.net);
  SharedServices services = host_.shared();
  services.net = running->net.table();
  services.gateway = &gateway;
  auto made = TransportPlugin::create(std::move(*plan), load_rules(), services);
  if (!made) return made.error();
  running->plugin = std::move(*made);
  transports.push_back(running);
  return running->plugin->start();
}

std::vector<Model> RunningDeployment::models() {
  const auto backend_of = [this](const std::string& name) {
    const auto found = std::find_if(backends.begin(), backends.end(), [&](const auto& backend) {
      return backend->instance.name == name;
    });
    assert(found != backends.end());
    return &(*found)->instance;
  };
  std::vector<Model> models;
  for (const config::Model& entry : deployment_.models) {
    Model model;
    model.name = entry.name;
    model.policy = policy_of(entry.policy);
    model.is_sticky = entry.sticky;
    model.attempts_max = static_cast<std::uint32_t>(entry.attempts);
    model.retry_percent = static_cast<std::uint32_t>(entry.retry_percent);
    model.hedge.percent = static_cast<std::uint32_t>(entry.hedge_percent);
    model.hedge.after_ms = static_cast<std::uint64_t>(entry.hedge_after_ms);
    model.continues_streams = entry.continues_streams;
    if (entry.price) model.price = price_of(*entry.price);
    for (const config::Route& written : entry.routes) {
      Route route;
      route.backend = backend_of(written.backend);
      route.model = written.model.empty() ? entry.name : written.model;
      route.weight = static_cast<std::uint32_t>(written.weight);
      if (written.cost) route.cost = price_of(*written.cost);
      route.privacy = privacy_of(written.privacy);
      route.state = host_.route_states.state_of(written.backend, route.model);
      model.routes.push_back(std::move(route));
    }
    if (entry.cache) model.cache = cache_rules_of(*entry.cache, model.routes);
    for (const std::string& alias : entry.aliases) {
      models.push_back(model);
      models.back().name = alias;
    }
    models.push_back(std::move(model));
  }
  return models;
}

void RunningDeployment::describe_routes() {
  for (const auto& backend : backends) {
    const auto description = description_of(*backend->plugin);
    if (!description) {
      host_.logger.write(LogLevel::kWarn, "runtime",
                         "what was known of it stays: " + description.error().message);
      continue;
    }
    apply(*description, backend->instance, *router_);
  }
}

std::string RunningDeployment::list_models() const {
  return model_list(*router_, generation_->models_created_s());
}

Status RunningDeployment::make_generation() {
  host_.route_states.drop_unused();
  router_ = std::make_unique<Router>(models());
  describe_routes();
  Result<CallMetrics> made = CallMetrics::create(host_.metrics, *router_);
  if (!made) return made.error();
  metrics_ = std::make_unique<CallMetrics>(std::move(*made));
  generation_ = std::make_unique<Generation>(*host_.loops->table(), *system_clock(), *metrics_,
                                             host_.logger, *router_, payment_instances_,
                                             options_of(deployment_, id_, host_));
  generation_->on_unused([this] { unused_.store(true); });
  return ok();
}

void RunningDeployment::set_bounds() {
  host_.cache.set_bounds({static_cast<std::uint64_t>(deployment_.limits.cache_bytes),
                          static_cast<std::uint64_t>(deployment_.limits.cache_answer_bytes)});
  for (std::size_t i = 0; i < backends.size(); ++i) {
    const config::PluginInstance& entry = deployment_.backends[i];
    BackendInstance& instance = backends[i]->instance;
    instance.calls_max = static_cast<std::uint64_t>(entry.max_concurrent);
    instance.timeout_ms = static_cast<std::uint64_t>(entry.timeout_ms);
    instance.first_event_timeout_ms = static_cast<std::uint64_t>(entry.first_event_timeout_ms);
    instance.eject_failures = static_cast<std::uint64_t>(entry.eject_after);
    instance.eject_slower = static_cast<std::uint64_t>(entry.eject_slower);
    instance.eject_ms = static_cast<std::uint64_t>(entry.eject_ms);
    instance.limit.bound(static_cast<std::uint64_t>(entry.concurrency_min),
                         static_cast<std::uint64_t>(entry.concurrency_max));
  }
}

void RunningDeployment::drain(std::int64_t deadline_ns) {
  for (const auto& transport : transports) transport->plugin->drain(deadline_ns);
  for (const auto& backend : backends) backend->plugin->drain(deadline_ns);
  for (const auto& payment : payments) payment->plugin->drain(deadline_ns);
}

std::vector<std::string> RunningDeployment::changes_since(const RunningDeployment& before) const {
  std::vector<std::string> changes = changes_between(before.deployment_.tree, deployment_.tree);
  const auto add_restarts = [&](const auto& now, const auto& then) {
    for (const auto& each : now) {
      const bool kept = std::find(then.begin(), then.end(), each) != then.end();
      const InstanceFacts& facts = each->plugin->facts();
      const std::string path = facts.section + '.' + facts.name + ": ";
      const bool told = std::any_of(changes.begin(), changes.end(), [&](const std::string& change) {
        return change.starts_with(path);
      });
      if (!kept && !told) changes.push_back(path + "changed outside of the file");
    }
  };
  add_restarts(transports, before.transports);
  add_restarts(backends, before.backends);
  add_restarts(payments, before.payments);
  return changes;
}

}  // namespace backplane
