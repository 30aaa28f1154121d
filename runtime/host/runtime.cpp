// SPDX-License-Identifier: Apache-2.0
#include "runtime/host/runtime.hpp"

#include "runtime/host/runtime_parts.hpp"
#include "runtime/host/tracing.hpp"
#include "runtime/net/event_loop.hpp"
#include "runtime/net/socket_passing.hpp"

#include <boost/json.hpp>

#include <chrono>
#include <future>
#include <thread>
#include <utility>

namespace backplane {
namespace {

constexpr std::int64_t kMillisecondNs = 1'000'000;
constexpr std::int64_t kSecondNs = 1'000'000'000;

std::int64_t now_ns() {
  return system_clock()->monotonic_ns(nullptr);
}

void append_addresses(const TransportPlugin& transport, std::vector<std::string>& addresses) {
  const Result<std::string> text = transport.describe();
  if (!text) return;
  boost::system::error_code failure;
  const boost::json::value description = boost::json::parse(*text, failure);
  const boost::json::value* listen =
      description.is_object() ? description.as_object().if_contains("listen") : nullptr;
  if (listen == nullptr || !listen->is_array()) return;
  for (const boost::json::value& address : listen->as_array()) {
    if (address.is_string()) addresses.emplace_back(address.as_string());
  }
}

ReloadOutcome stopping() {
  ReloadOutcome outcome;
  outcome.errors.push_back("the runtime is stopping");
  return outcome;
}

}  // namespace

Runtime::Parts::Parts(config::Deployment deployment)
    : file_(deployment.file),
      loop_count_(deployment.limits.loops),
      log_format_(deployment.log.format),
      started_ns_(now_ns()),
      described_ns_(started_ns_),
      host_(deployment.log),
      retirement_(host_) {
  current_ = std::make_unique<RunningDeployment>(std::move(deployment), 1, host_);
}

Runtime::Parts::~Parts() {
  stop(0);
}

Status Runtime::Parts::start(StartOptions options) {
  Status status = host_.start(static_cast<std::uint32_t>(loop_count_));
  if (!status) return status;
  status = start_parts(std::move(options));
  if (!status) return status;
  host_.net->drop_unused();
  loaded_unix_s_ = system_clock()->unix_ns(nullptr) / kSecondNs;
  reload_metrics_->serving(current_->id());
  control_ = std::make_unique<ControlThread>([this] { return tidy(); });
  gateway_->set_ready(true);
  return ok();
}

Status Runtime::Parts::start_parts(StartOptions options) {
  host_.net->adopt(std::move(options.adopted));
  Result<ReloadMetrics> metrics = ReloadMetrics::create(host_.metrics);
  if (!metrics) return metrics.error();
  reload_metrics_ = std::make_unique<ReloadMetrics>(std::move(*metrics));
  auto tracer = make_tracer(current_->deployment(), {*host_.loops->table(), *host_.http->table(),
                                                     *system_clock(), host_.metrics, host_.logger});
  if (!tracer) return tracer.error();
  host_.tracer = std::move(*tracer);
  Status status = current_->start_backends_and_payments(nullptr);
  if (status) status = current_->make_generation();
  if (!status) return status;
  current_->set_bounds();
  gateway_ =
      std::make_unique<Gateway>(*host_.loops->table(), host_.metrics, current_->generation());
  // A socket that is taken over has connections at once, and they bring calls.
  gateway_->set_ready(false);
  gateway_->set_serving(true);
  status = start_admin(current_->deployment(), admin_);
  if (status) status = current_->start_transports(nullptr, *gateway_->table());
  return status;
}

Status Runtime::Parts::start_admin(const config::Deployment& deployment,
                                   std::unique_ptr<AdminServer>& out) {
  if (!deployment.admin) return ok();
  const std::string* const token = deployment.secrets.find(deployment.admin->token);
  assert(token != nullptr);
  auto server = AdminServer::start(deployment.admin->listen, *token, *host_.net,
                                   *host_.loops->table(), *this);
  if (!server) {
    Error error = server.error();
    error.message = deployment.file + ": admin.listen: " + error.message;
    return error;
  }
  out = std::move(*server);
  return ok();
}

// What is over goes; a draining admin server has connections for as long as they may idle.
bool Runtime::Parts::tidy() {
  for (auto each = draining_admins_.begin(); each != draining_admins_.end();) {
    const bool over = each->server->connection_count() == 0 || now_ns() > each->deadline_ns;
    each = over ? draining_admins_.erase(each) : std::next(each);
  }
  describe_routes();
  const bool left = retirement_.tidy();
  return left || !draining_admins_.empty();
}

// Models and prices of providers change while nobody looks.
void Runtime::Parts::describe_routes() {
  constexpr std::int64_t kPeriodNs = 10 * kSecondNs;
  if (now_ns() - described_ns_ < kPeriodNs || is_stopping()) return;
  described_ns_ = now_ns();
  current_->describe_routes();
  gateway_->show_models(current_->list_models());
}

bool Runtime::Parts::wait_until(const std::function<bool()>& done, std::int64_t patience_ms) const {
  constexpr auto kPoll = std::chrono::milliseconds(5);
  const std::int64_t until_ns = now_ns() + patience_ms * kMillisecondNs;
  while (!done() && now_ns() < until_ns) std::this_thread::sleep_for(kPoll);
  return done();
}

// Of clients, not of the operator.
bool Runtime::Parts::has_connections() const {
  const std::lock_guard lock(mutex_);
  const std::size_t admin = admin_ != nullptr ? admin_->connection_count() : 0;
  return host_.net->connection_count() > admin;
}

// While there are connections a request may be on its way, or an answer not be taken yet.
void Runtime::Parts::end_calls(std::int64_t drain_ms) {
  constexpr std::int64_t kCancelMs = 5'000;  // above the pipeline's cancel grace
  const auto no_calls = [this] { return gateway_->live_calls() == 0; };
  wait_until([&] { return no_calls() && !has_connections(); }, drain_ms);
  gateway_->set_serving(false);
  if (!no_calls()) {
    gateway_->shut_down_calls();
    wait_until(no_calls, kCancelMs);
  }
  host_.settle_loops();
}

std::int64_t Runtime::Parts::drain_ms() const {
  const std::lock_guard lock(mutex_);
  return current_ != nullptr ? current_->deployment().limits.drain_ms : 0;
}

bool Runtime::Parts::is_stopping() {
  const std::lock_guard lock(serving_mutex_);
  return stopping_;
}

void Runtime::Parts::begin_to_stop(std::int64_t drain_ms) {
  const std::lock_guard lock(serving_mutex_);
  stopping_ = true;
  if (gateway_ != nullptr) gateway_->set_ready(false);
  const std::int64_t deadline_ns = now_ns() + drain_ms * kMillisecondNs;
  current_->drain(deadline_ns);
  if (control_ != nullptr) control_->post([this, deadline_ns] { retirement_.drain(deadline_ns); });
}

// A reload may load a model for long: it is waited for when the calls are over.
void Runtime::Parts::stop(std::int64_t drain_ms) {
  if (host_.loops == nullptr || std::exchange(stopped_, true)) return;
  begin_to_stop(drain_ms);
  if (gateway_ != nullptr) end_calls(drain_ms);
  if (control_ != nullptr) control_->stop();
  std::unique_ptr<RunningDeployment> last;
  {
    const std::lock_guard lock(mutex_);
    last = std::move(current_);
  }
  retirement_.add_last(std::move(last));
  draining_admins_.clear();
  admin_.reset();
  host_.net->abort_all();
  host_.settle_loops();
  left_alone_ = !retirement_.end_all();
  if (host_.tracer != nullptr) host_.tracer->stop(kTracerStopMs);
  host_.loops->stop();
}

bool Runtime::Parts::post_reload(std::optional<config::Deployment> deployment,
                                 std::function<void(ReloadOutcome)> told) {
  if (control_ == nullptr) return false;
  // Shared with the queue of jobs, which wants what can be copied.
  auto given = std::make_shared<std::optional<config::Deployment>>(std::move(deployment));
  return control_->post([this, given, told = std::move(told)] {
    told(given->has_value() ? reload_deployment(std::move(**given)) : reload_file());
  });
}

Status Runtime::Parts::send_sockets(int unix_fd) {
  std::promise<Status> sent;
  const bool posted = control_->post(
      [&] { sent.set_value(backplane::send_sockets(unix_fd, host_.net->listening_sockets())); });
  if (!posted) return Error{Code::kUnavailable, "the runtime is stopping", {}, 0, 0};
  return sent.get_future().get();
}

std::vector<std::string> Runtime::Parts::addresses() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> addresses;
  if (current_ == nullptr) return addresses;
  for (const auto& transport : current_->transports)
    append_addresses(*transport->plugin, addresses);
  return addresses;
}

std::vector<std::string> Runtime::Parts::models() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  if (current_ == nullptr) return names;
  for (const auto& [name, model] : current_->router().models()) names.push_back(name);
  return names;
}

Runtime::Runtime(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Runtime::~Runtime() {
  parts_->stop(0);
  if (parts_->left_alone()) static_cast<void>(parts_.release());
}

Result<std::unique_ptr<Runtime>> Runtime::start(config::Deployment deployment,
                                                StartOptions options) {
  auto parts = std::make_unique<Parts>(std::move(deployment));
  if (const Status status = parts->start(std::move(options)); !status) {
    parts->stop(parts->drain_ms());  // one transport may serve when the next one fails
    return status.error();
  }
  return std::unique_ptr<Runtime>(new Runtime(std::move(parts)));
}

std::vector<std::string> Runtime::addresses() const {
  return parts_->addresses();
}

std::vector<std::string> Runtime::models() const {
  return parts_->models();
}

ReloadOutcome Runtime::reload(config::Deployment deployment) {
  return reload_and_wait(std::move(deployment));
}

ReloadOutcome Runtime::reload() {
  return reload_and_wait(std::nullopt);
}

ReloadOutcome Runtime::reload_and_wait(std::optional<config::Deployment> deployment) {
  std::promise<ReloadOutcome> done;
  const bool posted = parts_->post_reload(std::move(deployment), [&done](ReloadOutcome outcome) {
    done.set_value(std::move(outcome));
  });
  return posted ? done.get_future().get() : stopping();
}

Status Runtime::send_sockets(int unix_fd) {
  return parts_->send_sockets(unix_fd);
}

void Runtime::stop() {
  parts_->stop(parts_->drain_ms());
}

}  // namespace backplane
