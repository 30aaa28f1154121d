// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/call_metrics.hpp"

namespace backplane {
namespace {

constexpr std::int64_t kMillisecondNs = 1'000'000;
constexpr const char* kOutcomes[] = {"ok", "refused", "failed", "client_gone"};

const std::vector<std::int64_t>& duration_bounds_ns() {
  static const std::vector<std::int64_t> kBounds = [] {
    std::vector<std::int64_t> bounds;
    for (const std::int64_t ms :
         {1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000}) {
      bounds.push_back(ms * kMillisecondNs);
    }
    return bounds;
  }();
  return kBounds;
}

}  // namespace

const char* name_of(CallOutcome outcome) {
  return kOutcomes[static_cast<std::uint32_t>(outcome)];
}

Result<CallMetrics> CallMetrics::create(MetricsRegistry& registry, const Router& router) {
  CallMetrics metrics(registry);
  if (const Status defined = metrics.define(router); !defined) return defined.error();
  return metrics;
}

Status CallMetrics::series(std::uint32_t kind, const char* name, const char* help,
                           std::vector<std::pair<std::string, std::string>> labels,
                           std::uint64_t& out) {
  MetricsRegistry::Definition definition;
  definition.kind = kind;
  definition.name = name;
  definition.help = help;
  definition.labels = std::move(labels);
  if (kind == BP_METRIC_HISTOGRAM) {
    definition.denominator = 1'000'000'000;
    definition.bounds = duration_bounds_ns();
  }
  const Result<std::uint64_t> handle = registry_->define(definition);
  if (!handle) return handle.error();
  out = *handle;
  return ok();
}

Status CallMetrics::define(const Router& router) {
  Status status =
      series(BP_METRIC_GAUGE, "backplane_live_calls", "Calls being served now", {}, live_calls_);
  if (status) {
    status = series(BP_METRIC_COUNTER, "backplane_fallbacks_total",
                    "Calls moved on to another route after a failure", {}, fallbacks_);
  }
  if (status) {
    status = series(BP_METRIC_COUNTER, "backplane_leaked_calls_total",
                    "Cancelled calls whose backend never ended them", {}, leaked_calls_);
  }
  models_.resize(router.models().size());
  for (const auto& [name, model] : router.models()) {
    if (status) status = define_model(model, models_[model.index]);
  }
  return status;
}

Status CallMetrics::define_model(const Model& model, Series& series) {
  const std::pair<std::string, std::string> label{"model", model.name};
  Status status = ok();
  for (std::size_t i = 0; i < 4 && status; ++i) {
    status = this->series(BP_METRIC_COUNTER, "backplane_calls_total", "Calls that have ended",
                          {label, {"outcome", kOutcomes[i]}}, series.outcomes[i]);
  }
  if (status) {
    status = this->series(BP_METRIC_HISTOGRAM, "backplane_call_seconds",
                          "Time from a call's begin to its end", {label}, series.duration);
  }
  if (status) {
    status = this->series(BP_METRIC_HISTOGRAM, "backplane_first_event_seconds",
                          "Time from a call's begin to the first thing sent back", {label},
                          series.first_event);
  }
  if (status) {
    status = this->series(BP_METRIC_COUNTER, "backplane_tokens_total", "Tokens metered",
                          {label, {"kind", "prompt"}}, series.prompt_tokens);
  }
  if (status) {
    status = this->series(BP_METRIC_COUNTER, "backplane_tokens_total", "Tokens metered",
                          {label, {"kind", "completion"}}, series.completion_tokens);
  }
  return status;
}

void CallMetrics::ended(const Model& model, CallOutcome outcome, std::int64_t duration_ns) {
  const Series& series = models_[model.index];
  registry_->add(live_calls_, -1);
  registry_->add(series.outcomes[static_cast<std::uint32_t>(outcome)], 1);
  registry_->add(series.duration, duration_ns);
}

void CallMetrics::first_event(const Model& model, std::int64_t duration_ns) {
  registry_->add(models_[model.index].first_event, duration_ns);
}

void CallMetrics::tokens(const Model& model, std::uint64_t prompt, std::uint64_t completion) {
  registry_->add(models_[model.index].prompt_tokens, static_cast<std::int64_t>(prompt));
  registry_->add(models_[model.index].completion_tokens, static_cast<std::int64_t>(completion));
}

}  // namespace backplane
