// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/call_metrics.hpp"

#include "runtime/services/clock.hpp"

#include <map>

namespace backplane {
namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;

constexpr std::int64_t kMillisecondNs = 1'000'000;
constexpr std::array<const char*, 4> kOutcomes = {"ok", "refused", "failed", "client_gone"};
constexpr std::array<const char*, kAttemptOutcomes> kAttempts = {
    "ok",      "busy",        "cancelled", "timeout",  "rate_limited",
    "refused", "unavailable", "cut",       "protocol", "failed"};
constexpr std::array<const char*, kRejections> kReasons = {"not_ready", "overloaded", "too_large",
                                                           "no_such_model", "invalid"};

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
  return kOutcomes[static_cast<std::size_t>(outcome)];
}

const char* name_of(AttemptOutcome outcome) {
  return kAttempts[static_cast<std::size_t>(outcome)];
}

AttemptOutcome outcome_of(const Error& error) {
  if (error.type == "BACKEND_PROTOCOL") return AttemptOutcome::kProtocol;
  if (error.type == kModelNotFound) return AttemptOutcome::kFailed;
  switch (error.code) {
    case Code::kOk:
    case Code::kUnknown:
    case Code::kInternal:
    case Code::kAborted:
      return error.http_status == 429 ? AttemptOutcome::kRateLimited : AttemptOutcome::kFailed;
    case Code::kCancelled:
      return AttemptOutcome::kCancelled;
    case Code::kDeadlineExceeded:
      return AttemptOutcome::kTimeout;
    case Code::kResourceExhausted:
      return AttemptOutcome::kRateLimited;
    case Code::kUnavailable:
      return AttemptOutcome::kUnavailable;
    case Code::kDataLoss:
      return AttemptOutcome::kCut;
    default:
      return AttemptOutcome::kRefused;
  }
}

Rejection rejection_of(const Error& error) {
  if (error.type == "NOT_READY") return Rejection::kNotReady;
  if (error.type == "OVERLOADED") return Rejection::kOverloaded;
  if (error.type == "BODY_TOO_LARGE") return Rejection::kTooLarge;
  if (error.type == kModelNotFound) return Rejection::kNoSuchModel;
  return Rejection::kInvalid;
}

// Makes series until one fails.
class CallMetrics::Definer {
 public:
  explicit Definer(CallMetrics& metrics) : metrics_(metrics) {}

  Status run(const Router& router) {
    metrics_.live_calls_ = gauge("backplane_live_calls", "Calls being served now", {});
    metrics_.fallbacks_ =
        counter("backplane_fallbacks_total", "Calls moved on to another route after a failure", {});
    metrics_.retries_refused_ =
        counter("backplane_retries_refused_total",
                "Calls that failed because their model's retries were used up", {});
    metrics_.hedges_ =
        counter("backplane_hedges_total", "Second tries beside a first one that was late", {});
    metrics_.hedges_won_ = counter("backplane_hedges_won_total",
                                   "Second tries that answered before the first one", {});
    metrics_.leaked_calls_ = counter("backplane_leaked_calls_total",
                                     "Cancelled calls whose backend never ended them", {});
    for (std::size_t i = 0; i < kRejections; ++i) {
      metrics_.rejections_[i] =
          counter("backplane_requests_rejected_total", "Requests that did not become a call",
                  {{"reason", kReasons[i]}});
    }
    metrics_.models_.resize(router.models().size());
    for (const auto& [name, model] : router.models()) {
      define_model(model, metrics_.models_[model.index]);
      for (const Route& route : model.routes) define_backend(*route.backend);
    }
    for (const auto& [name, model] : router.models()) {
      for (const Route& route : model.routes) observe_route(route);
    }
    return status_;
  }

 private:
  void define_model(const Model& model, ModelSeries& series) {
    const std::pair<std::string, std::string> label{"model", model.name};
    for (std::size_t i = 0; i < kOutcomes.size(); ++i) {
      series.outcomes[i] = counter("backplane_calls_total", "Calls that have ended",
                                   {label, {"outcome", kOutcomes[i]}});
    }
    series.duration =
        seconds("backplane_call_seconds", "Time from a call's begin to its end", {label});
    series.first_event = seconds("backplane_first_event_seconds",
                                 "Time from a call's begin to the first thing sent back", {label});
    const char* const tokens = "backplane_tokens_total";
    series.prompt_tokens = counter(tokens, "Tokens metered", {label, {"kind", "prompt"}});
    series.completion_tokens = counter(tokens, "Tokens metered", {label, {"kind", "completion"}});
    if (model.cache.ttl_s != 0) define_cache(label, series);
  }

  void define_cache(const std::pair<std::string, std::string>& label, ModelSeries& series) {
    for (std::size_t i = 0; i < kCacheResults; ++i) {
      series.cache_results[i] =
          counter("backplane_cache_requests_total", "Calls that asked the cache",
                  {label, {"result", name_of(static_cast<CacheResult>(i))}});
    }
    const char* const saved = "backplane_cache_saved_tokens_total";
    const char* const help = "Tokens of answers that no backend had to give again";
    series.saved_prompt_tokens = counter(saved, help, {label, {"kind", "prompt"}});
    series.saved_completion_tokens = counter(saved, help, {label, {"kind", "completion"}});
  }

  void define_backend(BackendInstance& backend) {
    BackendSeries& series = backend.series;
    if (series.is_defined) return;
    const std::pair<std::string, std::string> label{"backend", backend.name};
    series.in_flight =
        gauge("backplane_backend_live_calls", "Calls that a backend is busy with now", {label});
    for (std::size_t i = 0; i < kAttemptOutcomes; ++i) {
      series.outcomes[i] = counter("backplane_attempts_total", "Tries of calls on a backend",
                                   {label, {"outcome", kAttempts[i]}});
    }
    series.is_defined = bool(status_);
  }

  // Read where they are kept anyway. A deployment with more routes than the registry has room for
  // goes without those of the last ones.
  void observe_route(const Route& route) {
    struct Row {
      std::uint32_t kind;
      const char* name;
      const char* help;
      std::int64_t denominator;
      std::int64_t (*read)(const RouteState& state, std::int64_t now_ns);
    };
    static constexpr Row kRows[] = {
        {BP_METRIC_COUNTER, "backplane_route_ejections_total", "Times a route was left out", 1,
         [](const RouteState& state, std::int64_t) {
           return static_cast<std::int64_t>(state.ejections());
         }},
        {BP_METRIC_GAUGE, "backplane_route_good",
         "1 while a route serves, 0 while it is left out or limited", 1,
         [](const RouteState& state, std::int64_t now_ns) -> std::int64_t {
           return state.health(now_ns) == RouteHealth::kGood ? 1 : 0;
         }},
        {BP_METRIC_GAUGE, "backplane_route_first_event_seconds",
         "Time to the first event of a stream, of late", 1'000'000,
         [](const RouteState& state, std::int64_t now_ns) {
           return static_cast<std::int64_t>(state.speed(now_ns).first_event_us);
         }},
        {BP_METRIC_GAUGE, "backplane_route_tokens_per_second",
         "Tokens of an answer per second, of late", 1'000,
         [](const RouteState& state, std::int64_t now_ns) {
           return static_cast<std::int64_t>(state.speed(now_ns).tokens_per_s * 1'000);
         }}};
    for (const Row& row : kRows) {
      const std::weak_ptr<RouteState> watched = route.state;
      const Labels labels{{"backend", route.backend->name}, {"model", route.model}};
      static_cast<void>(metrics_.registry_->observe(
          {row.kind, row.name, row.help, labels, row.denominator, {}},
          [watched, read = row.read]() -> std::int64_t {
            const auto state = watched.lock();
            return state != nullptr ? read(*state, system_clock()->monotonic_ns(nullptr)) : 0;
          }));
    }
  }

  std::uint64_t counter(const char* name, const char* help, Labels labels) {
    return define({BP_METRIC_COUNTER, name, help, std::move(labels), 1, {}});
  }
  std::uint64_t gauge(const char* name, const char* help, Labels labels) {
    return define({BP_METRIC_GAUGE, name, help, std::move(labels), 1, {}});
  }
  std::uint64_t seconds(const char* name, const char* help, Labels labels) {
    constexpr std::int64_t kSecondNs = 1'000'000'000;
    return define(
        {BP_METRIC_HISTOGRAM, name, help, std::move(labels), kSecondNs, duration_bounds_ns()});
  }
  std::uint64_t define(const MetricsRegistry::Definition& definition) {
    if (!status_) return 0;
    const Result<std::uint64_t> handle = metrics_.registry_->define(definition);
    if (!handle) status_ = handle.error();
    return handle ? *handle : 0;
  }

  CallMetrics& metrics_;
  Status status_ = ok();
};

Result<CallMetrics> CallMetrics::create(MetricsRegistry& registry, const Router& router) {
  CallMetrics metrics(registry);
  if (const Status defined = Definer(metrics).run(router); !defined) return defined.error();
  return metrics;
}

void CallMetrics::ended(const Model& model, CallOutcome outcome, std::int64_t duration_ns) {
  const ModelSeries& series = models_[model.index];
  registry_->add(live_calls_, -1);
  registry_->add(series.outcomes[static_cast<std::size_t>(outcome)], 1);
  registry_->add(series.duration, duration_ns);
}

void CallMetrics::first_event(const Model& model, std::int64_t duration_ns) {
  registry_->add(models_[model.index].first_event, duration_ns);
}

void CallMetrics::tokens(const Model& model, std::uint64_t prompt, std::uint64_t completion) {
  const ModelSeries& series = models_[model.index];
  if (prompt != 0) registry_->add(series.prompt_tokens, static_cast<std::int64_t>(prompt));
  if (completion == 0) return;
  registry_->add(series.completion_tokens, static_cast<std::int64_t>(completion));
}

void CallMetrics::cache_asked(const Model& model, CacheResult result) {
  registry_->add(models_[model.index].cache_results[static_cast<std::size_t>(result)], 1);
}

void CallMetrics::cache_saved(const Model& model, std::uint64_t prompt, std::uint64_t completion) {
  const ModelSeries& series = models_[model.index];
  registry_->add(series.saved_prompt_tokens, static_cast<std::int64_t>(prompt));
  registry_->add(series.saved_completion_tokens, static_cast<std::int64_t>(completion));
}

void CallMetrics::attempt_begun(const BackendInstance& backend) {
  registry_->add(backend.series.in_flight, 1);
}

void CallMetrics::attempt_left(MetricsRegistry& registry, const BackendInstance& backend) {
  registry.add(backend.series.in_flight, -1);
}

void CallMetrics::attempt_ended(const BackendInstance& backend, AttemptOutcome outcome) {
  registry_->add(backend.series.outcomes[static_cast<std::size_t>(outcome)], 1);
}

}  // namespace backplane
