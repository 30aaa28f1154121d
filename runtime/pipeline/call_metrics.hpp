// SPDX-License-Identifier: Apache-2.0
// What the pipeline counts. Every series is made when the deployment starts, with labels from the
// configuration alone; docs/metrics.md has them all.
#pragma once

#include "runtime/pipeline/cache/cache_result.hpp"
#include "runtime/pipeline/router.hpp"
#include "runtime/services/metrics.hpp"

#include <array>
#include <backplane/result.hpp>
#include <vector>

namespace backplane {

enum class CallOutcome : std::uint32_t { kOk, kRefused, kFailed, kClientGone };
const char* name_of(CallOutcome outcome);

AttemptOutcome outcome_of(const Error& error);

// Why a request did not become a call.
enum class Rejection : std::uint32_t { kNotReady, kOverloaded, kTooLarge, kNoSuchModel, kInvalid };
inline constexpr std::size_t kRejections = 5;
Rejection rejection_of(const Error& error);

class CallMetrics {
 public:
  // Defines the series of the backends that routes lead to, where no earlier one has. [control]
  static Result<CallMetrics> create(MetricsRegistry& registry, const Router& router);

  // [any-thread]
  void rejected(Rejection why) { registry_->add(rejections_[static_cast<std::size_t>(why)], 1); }
  void begun() { registry_->add(live_calls_, 1); }
  void ended(const Model& model, CallOutcome outcome, std::int64_t duration_ns);
  void first_event(const Model& model, std::int64_t duration_ns);
  void tokens(const Model& model, std::uint64_t prompt, std::uint64_t completion);
  // Of a model with a cache.
  void cache_asked(const Model& model, CacheResult result);
  void cache_saved(const Model& model, std::uint64_t prompt, std::uint64_t completion);
  void fallback() { registry_->add(fallbacks_, 1); }
  void retry_refused() { registry_->add(retries_refused_, 1); }
  void hedged() { registry_->add(hedges_, 1); }
  void hedge_won() { registry_->add(hedges_won_, 1); }
  void leaked() { registry_->add(leaked_calls_, 1); }
  void attempt_begun(const BackendInstance& backend);
  // It gave its place back, possibly long after the metrics of its generation have gone.
  static void attempt_left(MetricsRegistry& registry, const BackendInstance& backend);
  void attempt_ended(const BackendInstance& backend, AttemptOutcome outcome);
  MetricsRegistry& registry() const { return *registry_; }  // outlives this

 private:
  struct ModelSeries {
    std::array<std::uint64_t, 4> outcomes;
    std::uint64_t duration;
    std::uint64_t first_event;
    std::uint64_t prompt_tokens;
    std::uint64_t completion_tokens;
    std::array<std::uint64_t, kCacheResults> cache_results;
    std::uint64_t saved_prompt_tokens;
    std::uint64_t saved_completion_tokens;
  };
  class Definer;

  explicit CallMetrics(MetricsRegistry& registry) : registry_(&registry) {}

  MetricsRegistry* registry_;
  std::vector<ModelSeries> models_;
  std::array<std::uint64_t, kRejections> rejections_{};
  std::uint64_t live_calls_ = 0;
  std::uint64_t fallbacks_ = 0;
  std::uint64_t retries_refused_ = 0;
  std::uint64_t leaked_calls_ = 0;
  std::uint64_t hedges_ = 0;
  std::uint64_t hedges_won_ = 0;
};

}  // namespace backplane
