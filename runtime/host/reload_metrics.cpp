// SPDX-License-Identifier: Apache-2.0
#include "runtime/host/reload_metrics.hpp"

#include "runtime/services/clock.hpp"

namespace backplane {

Result<ReloadMetrics> ReloadMetrics::create(MetricsRegistry& registry) {
  ReloadMetrics metrics(registry);
  const auto define = [&](std::uint32_t kind, const char* name, const char* help,
                          const char* outcome, std::uint64_t& out) -> Status {
    MetricsRegistry::Definition definition;
    definition.kind = kind;
    definition.name = name;
    definition.help = help;
    if (outcome != nullptr) definition.labels = {{"outcome", outcome}};
    const Result<std::uint64_t> handle = registry.define(definition);
    if (!handle) return handle.error();
    out = *handle;
    return ok();
  };
  Status status =
      define(BP_METRIC_GAUGE, "backplane_config_generation",
             "The generation that new calls are served by", nullptr, metrics.generation_);
  constexpr const char* kReloads = "backplane_config_reloads_total";
  constexpr const char* kReloadsHelp = "Reloads asked for, by what came of them";
  if (status) status = define(BP_METRIC_COUNTER, kReloads, kReloadsHelp, "done", metrics.done_);
  if (status) status = define(BP_METRIC_COUNTER, kReloads, kReloadsHelp, "failed", metrics.failed_);
  if (status) {
    status = define(BP_METRIC_GAUGE, "backplane_config_last_reload_timestamp_seconds",
                    "When the last reload was tried, in Unix time; 0: never", nullptr,
                    metrics.last_seconds_);
  }
  if (!status) return status.error();
  return metrics;
}

void ReloadMetrics::serving(std::uint64_t generation) const {
  registry_->set(generation_, static_cast<std::int64_t>(generation));
}

void ReloadMetrics::reloaded(bool done) const {
  registry_->add(done ? done_ : failed_, 1);
  registry_->set(last_seconds_, system_clock()->unix_ns(nullptr) / 1'000'000'000);
}

}  // namespace backplane
