// SPDX-License-Identifier: Apache-2.0
// A deployment in the place of another, by the control thread.
#include "runtime/config/load.hpp"
#include "runtime/host/catalog_schemas.hpp"
#include "runtime/host/runtime_parts.hpp"

#include <algorithm>
#include <utility>

namespace backplane {
namespace {

constexpr std::int64_t kMillisecondNs = 1'000'000;
constexpr std::int64_t kSecondNs = 1'000'000'000;

bool same_admin(const std::unique_ptr<AdminServer>& server, const config::Deployment& deployment) {
  if (server == nullptr || !deployment.admin) return server == nullptr && !deployment.admin;
  return server->has(deployment.admin->listen, *deployment.secrets.find(deployment.admin->token));
}

// The tree has but the names of secrets.
bool same_telemetry(const config::Deployment& before, const config::Deployment& after) {
  const config::Node* const old = before.tree.find("telemetry");
  const config::Node* const wanted = after.tree.find("telemetry");
  if (old == nullptr || wanted == nullptr) return old == wanted;
  if (!config::same_value(*old, *wanted)) return false;
  if (!after.telemetry.otlp) return true;
  const auto& headers = after.telemetry.otlp->headers;
  return std::all_of(headers.begin(), headers.end(), [&](const auto& header) {
    const std::string* const then = before.secrets.find(header.second);
    const std::string* const now = after.secrets.find(header.second);
    return then != nullptr && now != nullptr ? *then == *now : then == now;
  });
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "; ") + line;
  return text;
}

}  // namespace

ReloadOutcome Runtime::Parts::reload_file() {
  config::LoadResult loaded = config::load(file_, CatalogSchemas());
  ReloadOutcome outcome;
  for (const auto& warning : loaded.warnings) outcome.warnings.push_back(config::format(warning));
  for (const auto& error : loaded.errors) outcome.errors.push_back(config::format(error));
  if (!loaded) return fail(std::move(outcome));
  ReloadOutcome done = reload_deployment(std::move(*loaded.deployment));
  done.warnings.insert(done.warnings.begin(), outcome.warnings.begin(), outcome.warnings.end());
  return done;
}

ReloadOutcome Runtime::Parts::reload_deployment(config::Deployment deployment) {
  ReloadOutcome outcome;
  outcome.warnings = wants_restart(deployment);
  auto next = std::make_unique<RunningDeployment>(std::move(deployment), current_->id() + 1, host_);
  std::unique_ptr<AdminServer> admin;
  const Status started = start_next(*next, admin);
  std::unique_lock lock(serving_mutex_);
  if (!started || stopping_) {
    lock.unlock();
    outcome.errors.push_back(started ? "the runtime is stopping" : started.error().message);
    admin.reset();
    retirement_.undo(std::move(next));
    return fail(std::move(outcome));
  }
  outcome.changes = next->changes_since(*current_);
  outcome.generation = next->id();
  serve_next(std::move(next), std::move(admin));
  reload_metrics_->reloaded(true);
  note(outcome);
  return outcome;
}

Status Runtime::Parts::start_next(RunningDeployment& next, std::unique_ptr<AdminServer>& admin) {
  const Error stopping{Code::kUnavailable, "the runtime is stopping", {}, 0, 0};
  if (is_stopping()) return stopping;
  Status status = next.start_backends_and_payments(current_.get());
  if (status && is_stopping()) return stopping;  // that may have taken long
  if (status) status = next.start_transports(current_.get(), *gateway_->table());
  if (status && !same_admin(admin_, next.deployment())) {
    status = start_admin(next.deployment(), admin);
  }
  if (status) status = next.make_generation();
  return status;
}

// From here on nothing can fail.
void Runtime::Parts::serve_next(std::unique_ptr<RunningDeployment> next,
                                std::unique_ptr<AdminServer> admin) {
  const bool replaces_admin = !same_admin(admin_, next->deployment());
  const config::LogLevel level = next->deployment().log.level;
  if (level != current_->deployment().log.level) host_.logger.set_level(level_of(level));
  next->set_bounds();
  gateway_->replace(next->generation());
  host_.settle_loops();
  reload_metrics_->serving(next->id());
  {
    const std::lock_guard lock(mutex_);
    std::swap(current_, next);
    if (replaces_admin) std::swap(admin_, admin);
    loaded_unix_s_ = system_clock()->unix_ns(nullptr) / kSecondNs;
  }
  retirement_.add(std::move(next));
  for (const Error& error : host_.net->reload_certificates()) {
    host_.logger.write(LogLevel::kError, "runtime",
                       "the old certificate stays in use: " + error.message);
  }
  if (!replaces_admin || admin == nullptr) return;
  admin->drain();
  constexpr std::int64_t kPatienceMs = kAdminIdleTimeoutMs + kAdminWriteTimeoutMs;
  draining_admins_.push_back(
      {std::move(admin), system_clock()->monotonic_ns(nullptr) + kPatienceMs * kMillisecondNs});
}

std::vector<std::string> Runtime::Parts::wants_restart(const config::Deployment& next) const {
  std::vector<std::string> warnings;
  if (next.limits.loops != loop_count_) {
    warnings.push_back(next.file + ": limits.loops: needs a restart; this process keeps the " +
                       std::to_string(host_.loops->count()) + " that it has");
  }
  if (next.log.format != log_format_) {
    warnings.push_back(next.file + ": log.format: needs a restart; this process keeps its own");
  }
  if (!same_telemetry(current_->deployment(), next)) {
    warnings.push_back(next.file + ": telemetry: needs a restart; this process keeps its own");
  }
  return warnings;
}

ReloadOutcome Runtime::Parts::fail(ReloadOutcome outcome) {
  outcome.generation = current_->id();
  reload_metrics_->reloaded(false);
  note(outcome);
  return outcome;
}

void Runtime::Parts::note(const ReloadOutcome& outcome) {
  const std::string generation = std::to_string(outcome.generation);
  if (outcome) {
    host_.logger.write(LogLevel::kInfo, "runtime", "reloaded the deployment",
                       {{"generation", generation}, {"changes", joined(outcome.changes)}});
  } else {
    host_.logger.write(LogLevel::kError, "runtime",
                       "a reload failed and has changed nothing: " + joined(outcome.errors),
                       {{"generation", generation}});
  }
  for (const std::string& warning : outcome.warnings) {
    host_.logger.write(LogLevel::kWarn, "runtime", warning);
  }
  const std::lock_guard lock(mutex_);
  last_reload_ = outcome;
  last_reload_unix_s_ = system_clock()->unix_ns(nullptr) / kSecondNs;
}

}  // namespace backplane
