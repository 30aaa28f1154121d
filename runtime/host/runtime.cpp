// SPDX-License-Identifier: Apache-2.0
#include "runtime/host/runtime.hpp"

#include "runtime/host/backend_operations.hpp"
#include "runtime/host/catalog_schemas.hpp"
#include "runtime/host/instances.hpp"
#include "runtime/host/network_metrics.hpp"
#include "runtime/host/tracing.hpp"
#include "runtime/net/http.hpp"
#include "runtime/net/loop.hpp"
#include "runtime/net/net.hpp"
#include "runtime/pipeline/gateway.hpp"
#include "runtime/services/clock.hpp"
#include "runtime/services/key_value_store.hpp"
#include "runtime/services/process_metrics.hpp"

#include <boost/json.hpp>

#include <chrono>
#include <future>
#include <map>
#include <thread>
#include <utility>

namespace backplane {
namespace {

class DeploymentSecrets final : public SecretSource {
 public:
  explicit DeploymentSecrets(const config::Secrets& secrets) : secrets_(secrets) {}
  const std::string* find(std::string_view reference) const override {
    return secrets_.find(reference);
  }

 private:
  const config::Secrets& secrets_;
};

constexpr std::uint64_t kCertificatePollMs = 10'000;

LogLevel level_of(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::kTrace:
    case config::LogLevel::kDebug:
      return LogLevel::kDebug;
    case config::LogLevel::kInfo:
      return LogLevel::kInfo;
    case config::LogLevel::kWarning:
      return LogLevel::kWarn;
    case config::LogLevel::kError:
      return LogLevel::kError;
    case config::LogLevel::kOff:
      break;
  }
  return LogLevel::kOff;
}

Gateway::Options options_of(const config::Deployment& deployment) {
  Gateway::Options options;
  options.scan.depth_max = static_cast<std::uint32_t>(deployment.limits.max_depth);
  options.call.call_timeout_ms = static_cast<std::uint64_t>(deployment.limits.call_timeout_ms);
  options.body_bytes_max = static_cast<std::uint64_t>(deployment.limits.max_body_bytes);
  return options;
}

}  // namespace

// In the order in which they are made; they go in the opposite one.
class Runtime::Parts {
 public:
  explicit Parts(config::Deployment given)
      : deployment(std::move(given)),
        secrets(deployment.secrets),
        logger(level_of(deployment.log.level), deployment.log.format == config::LogFormat::kJson
                                                   ? LogFormat::kJson
                                                   : LogFormat::kText),
        store(*system_clock(), {}),
        catalog(catalog_of(deployment.plugins)) {}
  ~Parts() { stop(0); }

  Status start();
  void stop(std::int64_t drain_ms);
  // A plugin was left alone and may still use what it was given: none of this is to be freed.
  bool left_alone() const { return left_alone_; }

  const config::Deployment deployment;
  const DeploymentSecrets secrets;
  Logger logger;
  MetricsRegistry metrics;
  KeyValueStore store;
  const PluginCatalog catalog;
  std::unique_ptr<Loops> loops;
  std::unique_ptr<Net> net;
  std::unique_ptr<HttpClient> http;
  std::vector<std::unique_ptr<BackendPlugin>> backends;
  std::vector<std::unique_ptr<PaymentPlugin>> payments;
  std::map<std::string, BackendInstance> backend_instances;
  std::vector<PaymentInstance> payment_instances;
  std::unique_ptr<Router> router;
  std::unique_ptr<CallMetrics> call_metrics;
  std::unique_ptr<Tracer> tracer;  // null: nothing is traced
  std::unique_ptr<Gateway> gateway;
  std::vector<std::unique_ptr<TransportPlugin>> transports;

 private:
  Status start_services();
  Status start_backends();
  Status start_payments();
  Status make_gateway();
  Status start_transports();
  SharedServices services();
  LoadRules load_rules() const;
  bool wait_for_calls(std::int64_t until_ms);
  void wait_for_loops();
  void end_calls(std::int64_t drain_ms);
  void end_plugins();

  bool stopped_ = false;
  bool left_alone_ = false;
};

Status Runtime::Parts::start() {
  Status status = start_services();
  if (status) status = start_backends();
  if (status) status = start_payments();
  if (status) status = make_gateway();
  if (status) status = start_transports();
  if (status) gateway->set_serving(true);
  return status;
}

Status Runtime::Parts::start_services() {
  auto started = Loops::start(static_cast<std::uint32_t>(deployment.limits.loops));
  if (!started) return started.error();
  loops = std::move(*started);
  net = std::make_unique<Net>(*loops);
  net->watch_certificates(kCertificatePollMs, [this](const std::string& file, const Status& read) {
    if (read)
      return logger.write(LogLevel::kInfo, "runtime", "certificate renewed", {{"file", file}});
    logger.write(LogLevel::kError, "runtime",
                 "the old certificate stays in use: " + read.error().message, {{"file", file}});
  });
  auto client = HttpClient::create(*loops, {});
  if (!client) return client.error();
  http = std::move(*client);
  const Status defined = define_process_metrics(metrics);
  return defined ? define_network_metrics(metrics, *net, *http) : defined;
}

SharedServices Runtime::Parts::services() {
  SharedServices shared;
  shared.loop = loops->table();
  shared.net = net->table();
  shared.http = http->table();
  shared.clock = system_clock();
  shared.metrics = metrics.table();
  shared.gateway = gateway != nullptr ? gateway->table() : nullptr;
  shared.logger = &logger;
  shared.store = &store;
  shared.secrets = &secrets;
  return shared;
}

LoadRules Runtime::Parts::load_rules() const {
  LoadRules rules;
  for (const auto& [file, digest] : deployment.plugins.digests) {
    rules.allowed_sha256.emplace(file, digest);
  }
  return rules;
}

Status Runtime::Parts::start_backends() {
  for (const config::PluginInstance& entry : deployment.backends) {
    auto made = BackendPlugin::create(entry, catalog, load_rules(), services());
    if (!made) return made.error();
    backends.push_back(std::move(*made));
    const BackendPlugin& plugin = *backends.back();
    BackendInstance& instance = backend_instances[entry.name];
    instance.name = entry.name;
    instance.plugin = entry.plugin;
    instance.table = plugin.table();
    instance.self = plugin.self();
    instance.calls_max = static_cast<std::uint64_t>(entry.max_concurrent);
    instance.timeout_ms = static_cast<std::uint64_t>(entry.timeout_ms);
  }
  for (std::size_t i = 0; i < backends.size(); ++i) {
    if (const Status status = backends[i]->start(); !status) return status;
    auto operations = operations_of(*backends[i]);
    if (!operations) return operations.error();
    backend_instances.at(deployment.backends[i].name).operations = std::move(*operations);
  }
  return ok();
}

Status Runtime::Parts::start_payments() {
  for (const config::PluginInstance& entry : deployment.payments) {
    auto made = PaymentPlugin::create(entry, catalog, load_rules(), services());
    if (!made) return made.error();
    payments.push_back(std::move(*made));
    payment_instances.push_back({entry.name, payments.back()->table(), payments.back()->self()});
    if (const Status status = payments.back()->start(); !status) return status;
  }
  return ok();
}

Status Runtime::Parts::make_gateway() {
  std::vector<Model> models;
  for (const config::Model& entry : deployment.models) {
    Model model;
    model.name = entry.name;
    model.policy =
        entry.policy == config::Policy::kWeighted ? RoutePolicy::kWeighted : RoutePolicy::kOrdered;
    if (entry.price) {
      model.price = {entry.price->input_nano_usd_per_million_tokens,
                     entry.price->output_nano_usd_per_million_tokens};
    }
    for (const config::Route& route : entry.routes) {
      model.routes.push_back({&backend_instances.at(route.backend),
                              route.model.empty() ? entry.name : route.model,
                              static_cast<std::uint32_t>(route.weight)});
    }
    for (const std::string& alias : entry.aliases) {
      models.push_back(model);
      models.back().name = alias;
    }
    models.push_back(std::move(model));
  }
  router = std::make_unique<Router>(std::move(models));
  Result<CallMetrics> made = CallMetrics::create(metrics, *router);
  if (!made) return made.error();
  call_metrics = std::make_unique<CallMetrics>(std::move(*made));
  auto traced =
      make_tracer(deployment, {*loops->table(), *http->table(), *system_clock(), metrics, logger});
  if (!traced) return traced.error();
  tracer = std::move(*traced);
  Gateway::Options options = options_of(deployment);
  options.tracer = tracer.get();
  gateway = std::make_unique<Gateway>(*loops->table(), *system_clock(), metrics, *call_metrics,
                                      logger, *router, payment_instances, options);
  return ok();
}

Status Runtime::Parts::start_transports() {
  for (const config::PluginInstance& entry : deployment.transports) {
    auto made = TransportPlugin::create(entry, catalog, load_rules(), services());
    if (!made) return made.error();
    transports.push_back(std::move(*made));
    if (const Status status = transports.back()->start(); !status) return status;
  }
  return ok();
}

bool Runtime::Parts::wait_for_calls(std::int64_t until_ms) {
  constexpr auto kPoll = std::chrono::milliseconds(5);
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(until_ms);
  while (gateway->live_calls() != 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(kPoll);
  }
  return gateway->live_calls() == 0;
}

// What was posted before this returns has run.
void Runtime::Parts::wait_for_loops() {
  const bp_loop_service* table = loops->table();
  for (std::uint32_t i = 0; i < table->count; ++i) {
    std::promise<void> reached;
    table->post(
        table->at(table->context, i),
        [](void* argument) { static_cast<std::promise<void>*>(argument)->set_value(); }, &reached);
    reached.get_future().wait();
  }
}

void Runtime::Parts::end_calls(std::int64_t drain_ms) {
  constexpr std::int64_t kCancelMs = 5'000;  // above the pipeline's cancel grace
  gateway->set_serving(false);
  const std::int64_t deadline_ns =
      system_clock()->monotonic_ns(nullptr) + drain_ms * std::int64_t{1'000'000};
  for (const auto& transport : transports) transport->drain(deadline_ns);
  for (const auto& backend : backends) backend->drain(deadline_ns);
  for (const auto& payment : payments) payment->drain(deadline_ns);
  if (!wait_for_calls(drain_ms)) {
    gateway->shut_down_calls();
    wait_for_calls(kCancelMs);
  }
  wait_for_loops();
}

// Each kind is stopped, then what it posted runs, then it is destroyed.
void Runtime::Parts::end_plugins() {
  for (const auto& [name, instance] : backend_instances) {
    if (instance.in_flight.load() == 0) continue;
    left_alone_ = true;
    for (const auto& backend : backends) {
      if (backend->self() == instance.self) backend->leave_alone();
    }
  }
  for (const auto& transport : transports) transport->stop();
  wait_for_loops();
  transports.clear();
  wait_for_loops();
  for (const auto& backend : backends) backend->stop();
  for (const auto& payment : payments) payment->stop();
  wait_for_loops();
  backends.clear();
  payments.clear();
  wait_for_loops();
}

void Runtime::Parts::stop(std::int64_t drain_ms) {
  if (loops == nullptr || std::exchange(stopped_, true)) return;
  if (gateway != nullptr) end_calls(drain_ms);
  net->abort_all();
  wait_for_loops();
  end_plugins();
  if (tracer != nullptr) tracer->stop(kTracerStopMs);
  loops->stop();
  if (left_alone_) return;
  gateway.reset();
  tracer.reset();
  http.reset();
  net.reset();
  loops.reset();
}

Runtime::Runtime(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Runtime::~Runtime() {
  parts_->stop(0);
  if (parts_->left_alone()) static_cast<void>(parts_.release());
}

Result<std::unique_ptr<Runtime>> Runtime::start(config::Deployment deployment) {
  auto parts = std::make_unique<Parts>(std::move(deployment));
  if (const Status status = parts->start(); !status) return status.error();
  return std::unique_ptr<Runtime>(new Runtime(std::move(parts)));
}

std::vector<std::string> Runtime::addresses() const {
  std::vector<std::string> addresses;
  for (const auto& transport : parts_->transports) {
    const Result<std::string> text = transport->describe();
    if (!text) continue;
    boost::system::error_code failure;
    const boost::json::value description = boost::json::parse(*text, failure);
    const boost::json::value* listen =
        description.is_object() ? description.as_object().if_contains("listen") : nullptr;
    if (listen == nullptr || !listen->is_array()) continue;
    for (const boost::json::value& address : listen->as_array()) {
      if (address.is_string()) addresses.emplace_back(address.as_string());
    }
  }
  return addresses;
}

std::vector<std::string> Runtime::models() const {
  std::vector<std::string> names;
  for (const auto& [name, model] : parts_->router->models()) names.push_back(name);
  return names;
}

void Runtime::stop() {
  parts_->stop(parts_->deployment.limits.drain_ms);
}

}  // namespace backplane
