// SPDX-License-Identifier: Apache-2.0
// What the pipeline counts. Every series is made when the deployment starts.
#pragma once

#include "runtime/pipeline/router.hpp"
#include "runtime/services/metrics.hpp"

#include <backplane/result.hpp>
#include <vector>

namespace backplane {

enum class CallOutcome : std::uint32_t { kOk, kRefused, kFailed, kClientGone };
const char* name_of(CallOutcome outcome);

class CallMetrics {
 public:
  static Result<CallMetrics> create(MetricsRegistry& registry, const Router& router);

  void begun() { registry_->add(live_calls_, 1); }
  void ended(const Model& model, CallOutcome outcome, std::int64_t duration_ns);
  void first_event(const Model& model, std::int64_t duration_ns);
  void tokens(const Model& model, std::uint64_t prompt, std::uint64_t completion);
  void fallback() { registry_->add(fallbacks_, 1); }
  void leaked() { registry_->add(leaked_calls_, 1); }

 private:
  struct Series {
    std::uint64_t outcomes[4];
    std::uint64_t duration;
    std::uint64_t first_event;
    std::uint64_t prompt_tokens;
    std::uint64_t completion_tokens;
  };
  explicit CallMetrics(MetricsRegistry& registry) : registry_(&registry) {}
  Status define(const Router& router);
  Status define_model(const Model& model, Series& series);
  Status series(std::uint32_t kind, const char* name, const char* help,
                std::vector<std::pair<std::string, std::string>> labels, std::uint64_t& out);

  MetricsRegistry* registry_;
  std::vector<Series> models_;
  std::uint64_t live_calls_ = 0;
  std::uint64_t fallbacks_ = 0;
  std::uint64_t leaked_calls_ = 0;
};

}  // namespace backplane
