// SPDX-License-Identifier: Apache-2.0
#include "runtime/host/retirement.hpp"

#include <algorithm>
#include <utility>

namespace backplane {
namespace {

constexpr std::int64_t kMillisecondNs = 1'000'000;
// Beyond its last call a connection has this long to take what is pending and to close.
constexpr std::int64_t kLastBytesMs = 30'000;

std::int64_t now_ns() {
  return system_clock()->monotonic_ns(nullptr);
}

std::int64_t patience_of(const RunningDeployment& deployment) {
  return deployment.deployment().limits.call_timeout_ms + kLastBytesMs;
}

// Moves what only `from` holds to `to`.
template <class Running>
void take_unshared(std::vector<std::shared_ptr<Running>>& from,
                   std::list<std::shared_ptr<Running>>& to) {
  for (std::shared_ptr<Running>& each : from) {
    if (each.use_count() == 1) to.push_back(std::move(each));
  }
  from.clear();
}

}  // namespace

void Retirement::add(std::unique_ptr<RunningDeployment> deployment) {
  retire_transports(*deployment, patience_of(*deployment));
  deployments_.push_back(std::move(deployment));
}

void Retirement::undo(std::unique_ptr<RunningDeployment> deployment) {
  retire_transports(*deployment, patience_of(*deployment));
  retire_others(*deployment);
  end_others();
}

void Retirement::retire_transports(RunningDeployment& deployment, std::int64_t patience_ms) {
  const std::int64_t deadline_ns = now_ns() + patience_ms * kMillisecondNs;
  for (std::shared_ptr<RunningTransport>& transport : deployment.transports) {
    if (transport.use_count() != 1) continue;
    transport->plugin->drain(deadline_ns);
    transports_.push_back({std::move(transport), deadline_ns});
  }
  deployment.transports.clear();
}

void Retirement::retire_others(RunningDeployment& deployment) {
  take_unshared(deployment.backends, backends_);
  take_unshared(deployment.payments, payments_);
}

bool Retirement::tidy() {
  for (auto each = deployments_.begin(); each != deployments_.end();) {
    if (!(*each)->is_unused()) {
      ++each;
      continue;
    }
    retire_others(**each);
    each = deployments_.erase(each);
  }
  const bool transports_left = end_transports(false);
  const bool others_left = end_others();
  return transports_left || others_left || !deployments_.empty();
}

bool Retirement::end_transports(bool all) {
  std::list<DrainingTransport> ending;
  for (auto each = transports_.begin(); each != transports_.end();) {
    const auto current = each++;
    const bool over = current->transport->net.connection_count() == 0;
    if (all || over || now_ns() > current->deadline_ns) {
      ending.splice(ending.end(), transports_, current);
    }
  }
  if (ending.empty()) return !transports_.empty();
  for (const DrainingTransport& each : ending) each.transport->net.abort_all();
  for (const DrainingTransport& each : ending) each.transport->plugin->stop();
  host_.settle_loops();
  ending.clear();
  host_.settle_loops();
  return !transports_.empty();
}

// A backend is ended only when the last of its calls is: it may use what destroy would free. So is
// a payment that has been asked; at the end of `all` it is stopped and may answer to that.
bool Retirement::end_others(bool all) {
  std::list<std::shared_ptr<RunningBackend>> backends;
  for (auto each = backends_.begin(); each != backends_.end();) {
    const auto current = each++;
    if ((*current)->instance.in_flight.load() != 0) continue;
    backends.splice(backends.end(), backends_, current);
  }
  const std::int64_t deadline_ns = now_ns();
  std::list<std::shared_ptr<RunningPayment>> payments;
  for (auto each = payments_.begin(); each != payments_.end();) {
    const auto current = each++;
    (*current)->plugin->drain(deadline_ns);
    if (all || (*current)->undecided.load() == 0) {
      payments.splice(payments.end(), payments_, current);
    }
  }
  const auto left = [this] { return !backends_.empty() || !payments_.empty(); };
  if (backends.empty() && payments.empty()) return left();
  host_.settle_loops();
  for (const auto& backend : backends) backend->plugin->drain(deadline_ns);
  for (const auto& backend : backends) backend->plugin->stop();
  for (const auto& payment : payments) payment->plugin->stop();
  host_.settle_loops();
  for (auto& payment : payments) {
    if (payment->undecided.load() != 0) payments_.push_back(std::move(payment));
  }
  backends.clear();
  payments.clear();
  host_.settle_loops();
  return left();
}

void Retirement::drain(std::int64_t deadline_ns) {
  for (const auto& each : deployments_) each->drain(deadline_ns);
}

void Retirement::add_last(std::unique_ptr<RunningDeployment> last) {
  retire_transports(*last, 0);
  deployments_.push_back(std::move(last));
}

bool Retirement::end_all() {
  end_transports(true);
  for (const auto& each : deployments_) retire_others(*each);
  end_others(true);
  for (const auto& backend : backends_) backend->plugin->leave_alone();
  for (const auto& payment : payments_) payment->plugin->leave_alone();
  return backends_.empty() && payments_.empty();
}

}  // namespace backplane
