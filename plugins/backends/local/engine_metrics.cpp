// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/engine_metrics.hpp"

namespace backplane::local {
namespace {

constexpr std::int64_t kNanosecondsInSecond = 1'000'000'000;

constexpr std::int64_t milliseconds(std::int64_t count) {
  return count * 1'000'000;
}

constexpr std::int64_t kSequenceBounds[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512};
constexpr std::int64_t kStepBounds[] = {milliseconds(1),    milliseconds(2),    milliseconds(5),
                                        milliseconds(10),   milliseconds(20),   milliseconds(50),
                                        milliseconds(100),  milliseconds(200),  milliseconds(500),
                                        milliseconds(1000), milliseconds(2000), milliseconds(5000)};
constexpr std::int64_t kFirstTokenBounds[] = {
    milliseconds(10),   milliseconds(20),    milliseconds(50),    milliseconds(100),
    milliseconds(200),  milliseconds(500),   milliseconds(1000),  milliseconds(2000),
    milliseconds(5000), milliseconds(10000), milliseconds(30000), milliseconds(60000)};

}  // namespace

EngineMetrics::EngineMetrics(const Host& host, std::string_view backend)
    : host_(host), backend_(backend), metrics_(host.find<bp_metrics>(BP_METRICS_ID)) {
  const bool usable = BP_HAS(metrics_, define) && BP_HAS(metrics_, add) && BP_HAS(metrics_, set);
  if (!usable) metrics_ = nullptr;
  const auto state = [](std::string_view value) { return bp_pair{str("state"), str(value)}; };
  const auto kind = [](std::string_view value) { return bp_pair{str("kind"), str(value)}; };
  constexpr std::string_view kPages = "Pages of the cache of keys and values.";
  constexpr std::string_view kTokens = "Tokens computed of prompts, and tokens generated.";
  waiting_ = define({BP_METRIC_GAUGE, "backplane_local_waiting_requests",
                     "Requests that wait for a place in the batch."});
  running_ =
      define({BP_METRIC_GAUGE, "backplane_local_running_requests", "Requests with a place there."});
  loaded_ = define(
      {BP_METRIC_GAUGE, "backplane_local_model_loaded", "Whether the weights are in memory."});
  used_pages_ = define({BP_METRIC_GAUGE, "backplane_local_cache_pages", kPages, state("used")});
  cached_pages_ = define({BP_METRIC_GAUGE, "backplane_local_cache_pages", kPages, state("cached")});
  free_pages_ = define({BP_METRIC_GAUGE, "backplane_local_cache_pages", kPages, state("free")});
  sequences_ = define({BP_METRIC_HISTOGRAM,
                       "backplane_local_batch_requests",
                       "Requests computed together in one step.",
                       {},
                       1,
                       kSequenceBounds});
  step_seconds_ = define({BP_METRIC_HISTOGRAM,
                          "backplane_local_step_seconds",
                          "Time of one step.",
                          {},
                          kNanosecondsInSecond,
                          kStepBounds});
  first_token_ = define({BP_METRIC_HISTOGRAM,
                         "backplane_local_first_token_seconds",
                         "Time from a request's arrival at the engine to its first token.",
                         {},
                         kNanosecondsInSecond,
                         kFirstTokenBounds});
  next_token_ = define({BP_METRIC_HISTOGRAM,
                        "backplane_local_next_token_seconds",
                        "Time from one token of a request to its next.",
                        {},
                        kNanosecondsInSecond,
                        kStepBounds});
  prompt_tokens_ =
      define({BP_METRIC_COUNTER, "backplane_local_tokens_total", kTokens, kind("prompt")});
  generated_tokens_ =
      define({BP_METRIC_COUNTER, "backplane_local_tokens_total", kTokens, kind("generated")});
  prefix_tokens_ = define({BP_METRIC_COUNTER, "backplane_local_prefix_hit_tokens_total",
                           "Tokens of prompts that were found computed."});
  preemptions_ = define({BP_METRIC_COUNTER, "backplane_local_preemptions_total",
                         "Requests that gave way to others and go on later."});
}

EngineMetrics::Series EngineMetrics::define(const Definition& definition) {
  if (metrics_ == nullptr) return 0;
  const bp_pair labels[] = {{str("backend"), str(backend_)}, definition.label};
  bp_metric_options options{};
  options.struct_size = sizeof(options);
  options.kind = definition.kind;
  options.name = str(definition.name);
  options.help = str(definition.help);
  options.labels = labels;
  options.label_count = definition.label.name.size == 0 ? 1 : 2;
  options.denominator = definition.denominator;
  options.bounds = definition.bounds.data();
  options.bound_count = definition.bounds.size();
  Series series = 0;
  bp_error error{};
  if (metrics_->define(metrics_->context, &options, &series, &error) == BP_CODE_OK) return series;
  host_.log(BP_LOG_WARN, error.message);
  metrics_ = nullptr;
  return 0;
}

void EngineMetrics::add(Series series, std::size_t value) const {
  if (metrics_ == nullptr) return;
  metrics_->add(metrics_->context, series, static_cast<std::int64_t>(value));
}

void EngineMetrics::set(Series series, std::size_t value) const {
  if (metrics_ == nullptr) return;
  metrics_->set(metrics_->context, series, static_cast<std::int64_t>(value));
}

void EngineMetrics::observe_ns(Series series, std::int64_t value_ns) const {
  if (metrics_ != nullptr) metrics_->add(metrics_->context, series, value_ns);
}

void EngineMetrics::on_gauges(const EngineGauges& gauges) {
  set(waiting_, gauges.waiting);
  set(running_, gauges.running);
  set(loaded_, gauges.loaded ? 1 : 0);
  set(used_pages_, gauges.pages_used);
  set(cached_pages_, gauges.pages_cached);
  set(free_pages_, gauges.pages - gauges.pages_used - gauges.pages_cached);
}

void EngineMetrics::on_step(std::size_t sequences, std::size_t streams, std::size_t tokens,
                            std::int64_t duration_ns) {
  add(sequences_, sequences);
  add(prompt_tokens_, tokens - streams);
  observe_ns(step_seconds_, duration_ns);
}

void EngineMetrics::on_prefix_hit(std::size_t tokens) {
  add(prefix_tokens_, tokens);
}

void EngineMetrics::on_preemption() {
  add(preemptions_, 1);
}

void EngineMetrics::on_first_token(std::int64_t since_arrival_ns) {
  add(generated_tokens_, 1);
  observe_ns(first_token_, since_arrival_ns);
}

void EngineMetrics::on_next_token(std::int64_t since_last_ns) {
  add(generated_tokens_, 1);
  observe_ns(next_token_, since_last_ns);
}

}  // namespace backplane::local
